"""Waiting for something to become true, with an end to it."""

import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from local.problem import Problem

HOPE_SECONDS = 8
"""How long a process may fail to start before that counts: an earlier one may still hold its port."""


def until(
    condition: Callable[[], bool],
    *,
    seconds: float,
    what: str,
    log: Path | None = None,
    hopeless: Callable[[], bool] = lambda: False,
) -> None:
    """Returns when the condition holds. Raises ``Problem`` after ``seconds``, with the end of the log.

    What is ``hopeless`` after 8 seconds is not waited for any longer.
    """
    begin = time.monotonic()
    while not condition():
        waited = time.monotonic() - begin
        if waited > seconds or (waited > HOPE_SECONDS and hopeless()):
            raise Problem(f"waited {waited:.0f} s for {what}, in vain{end_of(log)}")
        time.sleep(0.05)


def answers(url: str) -> bool:
    """Whether a GET of the URL is answered with 200 within two seconds."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def end_of(log: Path | None, lines: int = 12) -> str:
    if log is None or not log.exists():
        return ""
    last = log.read_text(errors="replace").splitlines()[-lines:]
    return "\n".join([f"; the end of {log}:", *last])
