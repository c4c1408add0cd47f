"""Logs: one JSON object a line on standard output, from structlog and from the standard library alike."""

import logging
import select
import sys
from contextlib import suppress
from datetime import UTC, datetime
from threading import Lock
from typing import Any, TextIO, cast

import orjson
import structlog
from structlog.types import EventDict, Processor, WrappedLogger


class Output:
    """Standard output, in whole lines. Their order is the order in which they were logged."""

    def __init__(self) -> None:
        # Lines of requests wait for each other: see Patient. Whoever sets this flushes now and then.
        self.together = False
        self._lines, self._size, self._lock = list[str](), 0, Lock()

    def write(self, text: str) -> None:
        """Keeps the text. Lines that together would be more than a pipe takes in one piece do not go together.

        https://man7.org/linux/man-pages/man7/pipe.7.html (PIPE_BUF)
        """
        with self._lock:
            size = len(text.encode())
            if self._size + size > select.PIPE_BUF:
                self._flush()
            self._lines.append(text)
            self._size += size

    def flush(self) -> None:
        """Writes what was kept."""
        with self._lock:
            self._flush()

    def _flush(self) -> None:
        text, self._lines, self._size = "".join(self._lines), [], 0
        with suppress(OSError):  # nobody collects them: no reason to stop serving
            sys.stdout.write(text)
            sys.stdout.flush()


class Patient:
    """The output for a line that comes with every request: with ``output.together`` it waits for more of them.

    A write for each wakes whoever collects the logs: that took a tenth of what a list of products takes altogether.
    """

    def write(self, text: str) -> None:
        """Keeps the text."""
        output.write(text)

    def flush(self) -> None:
        """Writes what was kept, unless lines go together."""
        if not output.together:
            output.flush()


output, _patient = Output(), Patient()
# What ``configure`` was told: who writes, and whether lines of level INFO are wanted.
_origin, _wanted = dict[str, str](), True


def request(**told: Any) -> None:
    """The line of a request, which may wait for others: see Patient.

    Put together here: structlog's chain of processors takes more than twice as long, and there is one a request.
    """
    if _wanted:
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        line = {**_origin, **structlog.contextvars.get_contextvars(), "event": "request", **told}
        _patient.write(_dumps(line | {"level": "info", "timestamp": now}) + "\n")
        _patient.flush()


def _dumps(value: Any, **_: Any) -> str:
    return orjson.dumps(value, default=str).decode()


def configure(*, service: str, instance: str, level: str) -> dict[str, Any]:
    """Configures structlog and returns the ``dictConfig`` for Django and gunicorn, so that all lines look alike."""
    global _origin, _wanted
    _origin = {"service": service, "instance": instance}
    _wanted = logging.getLevelNamesMapping()[level] <= logging.INFO

    def origin(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
        return {**_origin, **event}

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        origin,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, structlog.processors.JSONRenderer(_dumps)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        # One write a line: `print` makes two of it.
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, output)),
        cache_logger_on_first_use=True,
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": [*shared, structlog.stdlib.add_logger_name],
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(_dumps),
        ],
    }
    handler = {"class": "logging.StreamHandler", "stream": output, "formatter": "json"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": formatter},
        "handlers": {"stdout": handler},
        "root": {"handlers": ["stdout"], "level": level},
        "loggers": {
            # The request's own line says what these would say again; a 5xx keeps its stack trace.
            "django.request": {"level": "ERROR"},
            "django.security": {"level": "ERROR"},
            "gunicorn.error": {"handlers": ["stdout"], "level": level, "propagate": False},
        },
    }
