"""Logs: one JSON object a line on standard output, from structlog and from the standard library alike."""

import logging
import sys
from typing import Any

import orjson
import structlog
from structlog.types import EventDict, Processor, WrappedLogger


def _dumps(value: Any, **_: Any) -> str:
    return orjson.dumps(value, default=str).decode()


def configure(*, service: str, instance: str, level: str) -> dict[str, Any]:
    """Configures structlog and returns the ``dictConfig`` for Django and gunicorn, so that all lines look alike."""

    def origin(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
        return {"service": service, "instance": instance, **event}

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
        logger_factory=structlog.WriteLoggerFactory(sys.stdout),
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
    handler = {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "json"}
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
