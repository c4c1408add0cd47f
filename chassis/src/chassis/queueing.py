"""How long a request stood in the queue: from when it left its sender until a thread looked at it."""

from time import time

from prometheus_client import Histogram

SECONDS = Histogram(
    "http_request_queue_seconds",
    "Time from when a request left its sender until a thread looked at it.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5),
)
HEADER = "X-Request-Start"
"""``t=<seconds since 1970>``, set by the gateway and by ``chassis.http``."""


def waited(header: str) -> None:
    """Counts what a request's header tells; one that makes no sense is left out."""
    try:
        SECONDS.observe(max(0.0, time() - float(header.removeprefix("t="))))
    except ValueError:
        return
