"""Work that the threads of a process do together: whoever comes while one of them is at it is taken along in its next
round. What a call or a transaction costs whatever is in it is then paid once a round, as in a database's group commit
(Gawlick and Kinkade, 1985). Alone, nobody waits for a round to fill.
"""

from collections.abc import Callable, Sequence
from contextvars import Context, copy_context
from threading import Lock
from time import monotonic, sleep
from typing import Generic, Self, TypeVar

import structlog

T = TypeVar("T")
_log = structlog.get_logger("rounds")


class Rounds(Generic[T]):
    """Does ``work`` for many items at once, ``most`` at a time, in rounds that begin ``every`` seconds at the earliest.

    There is no thread for it: who brings an item when nobody is at work does what is there, until nothing is left.
    A round has the request id of its first item. What must happen has to be a row all the same: this process may die
    with items in hand.
    """

    def __init__(self, work: Callable[[Sequence[T]], None], *, every: float, most: int) -> None:
        self._work, self._every, self._most = work, every, most
        self._lock, self._waiting, self._at_work = Lock(), list[tuple[Context, T]](), False
        self._earliest = 0.0

    def add(self, item: T) -> None:
        """Returns when the item is done, or at once where somebody is at work: its turn comes in their next round.

        What goes wrong in a round is logged, and is the loss of that round's items alone.
        """
        with self._lock:
            self._waiting.append((copy_context(), item))
            if self._at_work:
                return
            self._at_work = True
        try:
            while waited := self._next():
                context = waited[0][0]
                context.run(self._do, [item for _, item in waited])
        except BaseException:  # this thread is told to end: the next one takes over
            self._at_work = False
            raise

    def _next(self) -> list[tuple[Context, T]]:
        """The items of the next round; none, and nobody is at work any more, where there is nothing left."""
        if self._waiting:
            sleep(max(0.0, self._earliest - monotonic()))
        with self._lock:
            items, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            self._at_work = bool(items)
            if items:
                self._earliest = monotonic() + self._every
        return items

    def _do(self, items: list[T]) -> None:
        try:
            self._work(items)
        except Exception:
            _log.exception("round_failed", items=len(items))


class Crowd:
    """A context that counts the threads of this process that are inside of it: ``size``."""

    def __init__(self) -> None:
        self._lock, self.size = Lock(), 0

    def __enter__(self) -> Self:
        with self._lock:
            self.size += 1
        return self

    def __exit__(self, *failure: object) -> None:
        with self._lock:
            self.size -= 1
