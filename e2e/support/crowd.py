"""Many at once."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from time import sleep
from typing import TypeVar

from support.client import Answer

A = TypeVar("A")
B = TypeVar("B")


def each(act: Callable[[A], B], items: Sequence[A], at_once: int = 8) -> list[B]:
    """The results in the order of the items; so many threads do it."""
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(act, items))


def together(*acts: Callable[[], B]) -> list[B]:
    """All acts, each in a thread of its own, begun at the same moment."""
    gate = Barrier(len(acts))

    def begin(act: Callable[[], B]) -> B:
        gate.wait()
        return act()

    return each(begin, acts, at_once=len(acts))


def patiently(act: Callable[[], Answer], tries: int = 5) -> Answer:
    """As every client should: after 503, which a crowded machine may answer, the same again after Retry-After."""
    for _ in range(tries):
        answer = act()
        if answer.status != 503:
            break
        sleep(int(answer.headers["Retry-After"]))
    return answer
