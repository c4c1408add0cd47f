"""Questions to a neighbour that the threads of a process ask together: whoever comes while one is being answered is
asked for in the next one, with all others who came meanwhile. What a call costs whatever is in it is then paid once
(the batching of https://github.com/graphql/dataloader; here between requests). Alone, nobody waits.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K")
A = TypeVar("A")


class _Batch(Generic[K, A]):
    def __init__(self) -> None:
        self.keys, self.answer = dict[K, None](), Future[A]()


class Lookups(Generic[K, A]):
    """Called with keys, returns the answer of ``ask`` to these and others' keys, ``most`` in all.

    For what is the same whoever asks; a longer question is asked by itself.

    The answer is never older than the call: who comes while ``ask`` runs waits for the next one. Nobody waits longer
    than ``patience`` seconds for somebody else: a neighbour that is slow, or fails, is asked for each by themselves, so
    that what goes wrong is told to who asked, within their deadline. A question has the request id of who came first.
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
        if first:
            return self._lead(batch)
        try:
            return batch.answer.result(self._patience)
        except Exception:  # theirs; or they are slow
            return self._ask(keys)

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
        """Waits for the question that is being answered, then asks for all who came meanwhile."""
        in_turn = self._turn.acquire(timeout=self._patience)
        try:
            with self._door:
                self._next = None
            answer = self._ask(list(batch.keys))
            batch.answer.set_result(answer)
            return answer
        except BaseException:
            batch.answer.cancel()
            raise
        finally:
            if in_turn:
                self._turn.release()
