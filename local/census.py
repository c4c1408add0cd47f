"""Which processes belong to a shop, found without supervisor: it may be the one that died."""

import os
import signal
from collections.abc import Iterable, Iterator

import psutil

from local.environment import MARK
from local.state import State
from local.supervisor import STOP_SECONDS


def members(state: State) -> list[psutil.Process]:
    """The processes that `up` started for this shop and that still run, without their children and without this one."""
    own = {os.getpid(), *(each.pid for each in psutil.Process().parents())}
    return [each for each in psutil.process_iter() if each.pid not in own and _belongs(each, state)]


def end(state: State) -> int:
    """Ends what is left of this shop, at first politely; returns how many processes that were."""
    left = members(state)
    for process in _present(left):
        # SIGTERM would let PostgreSQL wait for its sessions.
        process.send_signal(signal.SIGINT if process.name() == "postgres" else signal.SIGTERM)
    _, stubborn = psutil.wait_procs(left, timeout=STOP_SECONDS)
    for process in _present(stubborn):
        process.kill()
    psutil.wait_procs(stubborn, timeout=5)
    return len(left)


def nginx(state: State) -> list[psutil.Process]:
    """nginx's processes, master and workers: they overwrite their environment, and are known by their folder."""
    return [each for each in psutil.process_iter(["name"]) if _is_nginx(each, state)]


def _belongs(process: psutil.Process, state: State) -> bool:
    try:
        return process.environ().get(MARK) == str(state.folder) or _is_nginx(process, state)
    except psutil.Error:
        return False


def _is_nginx(process: psutil.Process, state: State) -> bool:
    try:
        return process.name() == "nginx" and process.cwd() == str(state.folder)
    except psutil.Error:
        return False


def _present(processes: Iterable[psutil.Process]) -> Iterator[psutil.Process]:
    for process in processes:
        try:
            if process.is_running():
                yield process
        except psutil.NoSuchProcess:
            continue
