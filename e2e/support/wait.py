"""Waiting for a condition instead of for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(look: Callable[[], T], wanted: Callable[[T], bool], seconds: float = 30) -> T:
    """What ``look`` finally saw that was wanted. Fails with what it saw last."""
    end = time.monotonic() + seconds
    while not wanted(seen := look()):
        assert time.monotonic() < end, f"after {seconds} s still {seen!r}"
        time.sleep(0.05)
    return seen
