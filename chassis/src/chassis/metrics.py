"""Metrics of an instance, right with any number of workers: one exporter in gunicorn's master.

Workers write to PROMETHEUS_MULTIPROC_DIR (one per instance, emptied before the start); the master reads all of it on a
port of its own, so that a scrape never queues behind traffic. https://prometheus.github.io/client_python/multiprocess/
"""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

_TICKS, _PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")


def directory() -> Path | None:
    """The multiprocess directory, None where metrics are kept in memory (tests, one-shot commands)."""
    # PROMETHEUS_MULTIPROC_DIR is prometheus-client's own variable, which it reads from the environment itself.
    path = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    return Path(path) if path else None


def empty_directory() -> None:
    """Forgets what an earlier run of this instance left behind."""
    if folder := directory():
        folder.mkdir(parents=True, exist_ok=True)
        for leftover in folder.glob("*.db"):
            leftover.unlink(missing_ok=True)


def serve(bind: str, workers: Callable[[], Iterable[int]]) -> None:
    """Serves ``/metrics`` of all workers at ``host:port``, from a thread of this process, gunicorn's master.

    ``workers`` tells the ids of the worker processes at the moment.
    """
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    registry.register(Processes(workers))
    host, _, port = bind.rpartition(":")
    start_http_server(int(port), addr=host, registry=registry)


def forget_worker(pid: int) -> None:
    """Marks a worker as dead, so that its gauges go; its counters stay."""
    if directory():
        mark_process_dead(pid)


class Processes(Collector):
    """An instance's processes as one, under the standard names: since when the master runs, memory and CPU of all."""

    def __init__(self, workers: Callable[[], Iterable[int]]) -> None:
        self._workers = workers
        self._dead_cpu, self._known = 0.0, dict[int, float]()

    def describe(self) -> list[Metric]:
        """Nothing in advance."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Reads /proc: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html"""
        workers = list(self._workers())
        found = {pid: stat for pid in (os.getpid(), *workers) if (stat := _stat(pid))}
        now = {pid: (float(stat[11]) + float(stat[12])) / _TICKS for pid, stat in found.items()}
        # A counter never falls: what a worker used stays when it is gone.
        self._dead_cpu += sum(cpu for pid, cpu in self._known.items() if pid not in now)
        self._known = now
        yield CounterMetricFamily(
            "process_cpu_seconds", "CPU time of master and workers.", value=self._dead_cpu + sum(now.values())
        )
        memory = sum(int(stat[21]) for stat in found.values()) * _PAGE
        yield GaugeMetricFamily("process_resident_memory_bytes", "Resident memory of master and workers.", memory)
        started = _boot_time() + float(found[os.getpid()][19]) / _TICKS
        yield GaugeMetricFamily("process_start_time_seconds", "When the master started, in Unix time.", started)
        yield GaugeMetricFamily("server_workers", "Worker processes at the moment.", len(workers))


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the command's name; empty for a process that is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return []


def _boot_time() -> float:
    lines = Path("/proc/stat").read_text().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("btime")))
