"""Metrics of an instance, right with any number of workers: one exporter in gunicorn's master.

Workers write to PROMETHEUS_MULTIPROC_DIR (one per instance, emptied before the start); the master reads all of it on a
port of its own, so that a scrape never queues behind traffic. https://prometheus.github.io/client_python/multiprocess/
"""

import os
from pathlib import Path

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead


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


def serve(bind: str) -> None:
    """Serves ``/metrics`` of all workers at ``host:port``, from a thread of this process."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    host, _, port = bind.rpartition(":")
    start_http_server(int(port), addr=host, registry=registry)


def forget_worker(pid: int) -> None:
    """Marks a worker as dead, so that its gauges go; its counters stay."""
    if directory():
        mark_process_dead(pid)
