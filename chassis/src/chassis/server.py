"""gunicorn's worker with threads, which also knows how long each request has stood in its queue."""

from time import monotonic
from typing import Any

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from chassis import deadline


class Worker(ThreadWorker):
    """A worker of gunicorn's kind gthread."""

    def enqueue_req(self, conn: Any) -> None:
        """A request has come; a thread will take it when one is free."""
        conn.queued_at = monotonic()
        super().enqueue_req(conn)

    def handle(self, conn: Any) -> Any:
        """A thread takes it."""
        deadline.stood.seconds = monotonic() - conn.queued_at
        return super().handle(conn)
