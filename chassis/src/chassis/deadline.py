"""How long the work at hand may still take; the caller's limit is carried along from hop to hop.

The header ``X-Timeout-Ms`` holds what is left in milliseconds (a relative time: clocks of two machines never agree).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import local
from time import monotonic

HEADER = "X-Timeout-Ms"
WORTH_WHILE = 0.9
"""The share of its limit that a read may stand in a queue. An answer after the limit is work for nobody, and behind a
queue that is longer than the limit every single one would be."""
_ends: ContextVar[float | None] = ContextVar("deadline", default=None)


class _Stood(local):
    """Of the request that a thread works on: the seconds it stood in the queue of this process (chassis.web_worker)."""

    seconds = 0.0


stood = _Stood()


def remaining(default: float) -> float:
    """Seconds left until the deadline, never below 0, or ``default`` where none is set; never more than ``default``."""
    ends = _ends.get()
    return default if ends is None else min(default, max(0.0, ends - monotonic()))


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Sets the deadline ``seconds`` from now for what runs inside, unless an earlier one is in force already."""
    ends, outer = monotonic() + seconds, _ends.get()
    token = _ends.set(ends if outer is None else min(ends, outer))
    try:
        yield
    finally:
        _ends.reset(token)


def too_late(limit: float | None) -> bool:
    """Whether the request at hand stood in the queue for so long that nobody would wait for its answer."""
    return limit is not None and stood.seconds > limit * WORTH_WHILE


def parse(header: str | None) -> float | None:
    """The header's value in seconds; None where it is missing or no sane number."""
    if header and header.isascii() and header.isdigit() and len(header) < 8:
        return int(header) / 1000
    return None
