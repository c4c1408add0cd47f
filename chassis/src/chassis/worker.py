"""The loop of a background worker: jobs that find their work in the database, again and again, until told to stop."""

import signal
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from types import FrameType

import structlog
from django.db import close_old_connections
from prometheus_client import Counter, Gauge, disable_created_metrics, start_http_server
from structlog.contextvars import bind_contextvars, clear_contextvars

from chassis import build, deadline, env
from chassis.measures import Measure, Measures

# `task`, because Prometheus has a label `job` of its own.
RUNS = Counter("worker_runs_total", "Runs of a worker's job by outcome.", ["task", "outcome"])
LAST = Gauge("worker_last_run_timestamp_seconds", "When a job ended without a fault for the last time.", ["task"])
_log = structlog.get_logger("worker")


@dataclass(frozen=True)
class Job:
    """A job: ``run`` does one batch and returns how much it did; it runs again at once while there is more to do."""

    name: str
    every: float
    """Seconds between two runs when there is nothing to do."""
    run: Callable[[], int]
    limit: float = 60.0
    """Seconds that one run may take, handed down as the deadline of its calls."""


def work(jobs: Sequence[Job], measures: Sequence[Measure] = ()) -> None:
    """Runs the jobs until SIGTERM or SIGINT, finishing the run at hand. A job that fails is logged and tried again.

    ``measures`` are read all the while, for the metrics.
    """
    stop = Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    _tell(jobs, measures)
    _log.info("worker_started", jobs=[job.name for job in jobs])
    due = dict.fromkeys(jobs, 0.0)
    while not stop.is_set():
        for job in jobs:
            if time.monotonic() >= due[job] and not stop.is_set():
                done = run_once(job)
                due[job] = time.monotonic() + (0.0 if done else job.every)
        stop.wait(max(0.0, min(due.values()) - time.monotonic()))
    _log.info("worker_stopped")


def _tell(jobs: Sequence[Job], measures: Sequence[Measure]) -> None:
    """Serves this process's metrics. Each job's are there from the start, as if it had just run."""
    disable_created_metrics()  # a series of its own for each counter's birthday is of no use to anybody
    build.tell(Path.cwd())
    for job in jobs:
        RUNS.labels(job.name, "ok"), RUNS.labels(job.name, "failed")
        LAST.labels(job.name).set_to_current_time()
    # METRICS_BIND: host:port of the metrics exporter; empty for none.
    if address := env.text("METRICS_BIND", ""):
        Measures(measures).start()
        host, _, port = address.rpartition(":")
        start_http_server(int(port), addr=host)


def run_once(job: Job) -> int:
    """One run, logged, with a request id of its own; returns how much was done, 0 where it failed."""
    clear_contextvars()
    bind_contextvars(request_id=uuid.uuid4().hex, job=job.name)
    close_old_connections()
    try:
        with deadline.within(job.limit):
            done = job.run()
    except Exception:
        RUNS.labels(job.name, "failed").inc()
        _log.exception("job_failed")
        return 0
    RUNS.labels(job.name, "ok").inc()
    LAST.labels(job.name).set_to_current_time()
    return done
