"""Questions to a neighbour that the threads of a process ask together: whoever comes while one is being answered is
asked for in the next one, with all others who came meanwhile. What a call costs whatever is in it is then paid once
(the batching of https://github.com/graphql/dataloader; here between requests). Alone, nobody waits.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from threading import Lock
from typing import Generic, TypeVar

from chassis import deadline

K = TypeVar("K")
A = TypeVar("A")


class _Batch(Generic[K, A]):
    def __init__(self) -> None:
        self.keys, self.answer = dict[K, None](), Future[A]()


class Lookups(Generic[K, A]):
    """Called with keys, returns the answer of ``ask`` to these and others' keys, ``most`` in all.

    For what is the same whoever asks. The answer is never older than the call: who comes while one question is under
    way waits for the next one. A question that is longer than what is left of ``most`` goes by itself at once. So does
    everyone where the neighbour is slow or fails: who comes first waits ``patience`` seconds for the question before,
    all others twice as long, at most; and what goes wrong is told to who asked, within their own deadline. A question
    has the request id and the deadline of who came first.
    """

    def __init__(self, ask: Callable[[Sequence[K]], A], *, most: int, patience: float = 0.25) -> None:
        self._ask, self._most, self._patience = ask, most, patience
        self._door, self._turn = Lock(), Lock()
        self._next: _Batch[K, A] | None = None

    def __call__(self, keys: Sequence[K]) -> A:
        """What ``ask`` says of the keys, and maybe of others. Raises what it raises."""
        batch, first = self._join(keys)
        if batch is None:
            return self._ask(keys)
        return self._lead(batch) if first else self._follow(batch, keys)

    def _join(self, keys: Sequence[K]) -> tuple[_Batch[K, A] | None, bool]:
        """The next question, the keys in it now, and whether nobody was before us; None where it would be too long."""
        with self._door:
            batch, first = self._next or _Batch[K, A](), self._next is None
            if len(batch.keys) + len(keys) > self._most:
                return None, False
            batch.keys.update(dict.fromkeys(keys))
            self._next = batch
        return batch, first

    def _lead(self, batch: _Batch[K, A]) -> A:
        """Waits for the question that is under way, then asks for all who came meanwhile."""
        turn = self._turn
        in_turn = turn.acquire(timeout=self._patience_left())
        with self._door:
            self._next = None
            if not in_turn:  # the one before is stuck: nobody else should wait for it
                self._turn = turn = Lock()
                turn.acquire()
        try:
            answer = self._ask(list(batch.keys))
            batch.answer.set_result(answer)
            return answer
        except BaseException:
            batch.answer.cancel()
            raise
        finally:
            turn.release()

    def _follow(self, batch: _Batch[K, A], keys: Sequence[K]) -> A:
        with suppress(TimeoutError, CancelledError):
            return batch.answer.result(2 * self._patience_left())
        return self._ask(keys)

    def _patience_left(self) -> float:
        """A quarter of the time that is left, at most: what we wait for may be in vain."""
        return min(self._patience, deadline.remaining(60.0) / 4)
