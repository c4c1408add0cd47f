"""What the shop's processes used, by the system's own books: /proc/PID/stat and /proc/PID/smaps_rollup."""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import psutil
from local.shop import Shop

Pids = Callable[[], Mapping[str, int]]
KEEPER = "supervisord"
"""It starts all others, whose own books count, and writes their logs."""


def processes(shop: Shop) -> dict[str, int]:
    """The process ids of what runs, by the name of the service that it is a process of."""
    running = {name: known["pid"] for name, known in shop.supervisor.processes().items() if known["pid"]}
    return running | {KEEPER: shop.supervisor.own_pid()}


@dataclass
class Usage:
    """CPU in seconds by group of processes since ``begin``: nginx, postgres, products, stock …"""

    before: Mapping[str, float]
    own_before: float

    @classmethod
    def begin(cls, pids: Mapping[str, int]) -> "Usage":
        """Notes how far the books are now."""
        return cls(cpu(pids), own_cpu())

    def since(self, pids: Mapping[str, int]) -> dict[str, float]:
        """Seconds by group since then."""
        now = cpu(pids)
        return {group: now[group] - self.before.get(group, 0.0) for group in now}

    def own_since(self) -> float:
        """Seconds that the measuring itself took, with the programs it ran."""
        return own_cpu() - self.own_before


def cpu(pids: Mapping[str, int]) -> dict[str, float]:
    """User and system seconds so far by group, of each process with its children, ended ones too."""
    found: dict[str, float] = {}
    for name, pid in pids.items():
        books = 2 if name == KEEPER else 4
        seconds = sum(sum(_times(process)[:books]) for process in _counted(name, pid))
        found[group_of(name)] = found.get(group_of(name), 0.0) + seconds
    return found


def memory(pids: Mapping[str, int]) -> dict[str, int]:
    """Proportional set size in bytes by process: what several share is counted once, in parts."""
    return {name: sum(map(_pss, _counted(name, pid))) for name, pid in pids.items()}


def group_of(name: str) -> str:
    """products for products-1 and products-2, orders for orders-worker."""
    return re.sub(r"-(\d+|worker)$", "", name)


def own_cpu() -> float:
    """User and system seconds of this process and of the programs it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _counted(name: str, pid: int) -> Iterable[psutil.Process]:
    """The process and its children; the keeper alone."""
    try:
        process = psutil.Process(pid)
        return [process] if name == KEEPER else [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _times(process: psutil.Process) -> tuple[float, ...]:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:  # in its parent's books by now
        return ()
    return (times.user, times.system, times.children_user, times.children_system)


def _pss(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.NoSuchProcess:
        return 0
