"""Named points at which a test may stop a process dead, or hold it up. Off unless asked for; never in production.

FAULTS names a folder. A file in it, named after a point, says what happens to the first process that comes by, once:
``kill``, ``kill SECONDS`` (that long after, so that a request is sent and its answer not read), or ``sleep SECONDS``.
"""

import os
import signal
import threading
import time
from pathlib import Path

from chassis import env


def _folder() -> Path | None:
    # FAULTS: the folder of armed faults; unset in every shop but those that fault runs make.
    name = env.text("FAULTS", "")
    if name and env.production():
        raise SystemExit("comptoir: FAULTS is for tests and refused in production: unset it")
    return Path(name) if name else None


_FOLDER = _folder()


def point(name: str) -> None:
    """Does what is armed here, if anything. Without FAULTS it costs one comparison."""
    if _FOLDER is None:
        return
    claimed = _FOLDER / f"{name}.hit"
    try:
        os.rename(_FOLDER / name, claimed)
    except FileNotFoundError:
        return
    act, *seconds = claimed.read_text().split()
    wait = float(seconds[0]) if seconds else 0.0
    if act == "sleep":
        time.sleep(wait)
    elif wait:
        threading.Timer(wait, _die).start()
    else:
        _die()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
