"""An answer that goes out before all of its work is done, where nobody has to wait for the rest."""

from collections.abc import Callable
from threading import get_ident, local
from typing import Any

import structlog
from django.http import HttpResponse

_log = structlog.get_logger("answer_first")


class AnswerFirst(HttpResponse):
    """A response after which its thread does ``then``: a WSGI server closes a response once it has sent it (PEP 3333).

    What must happen has to be a row all the same: this process may die between the two.
    """

    def __init__(self, *args: Any, then: Callable[[], None], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._then: Callable[[], None] | None = then

    def close(self) -> None:
        """Does the rest, once, or leaves it to the end of ``the_rest``; what goes wrong in it is logged."""
        then, self._then = self._then, None
        super().close()
        if then and the_rest.put_off is not None:
            _at_it.add(get_ident())
            the_rest.put_off.append(then)
        elif then:
            _do(then)


class _Rest(local):
    """A context, each thread's own: the rest of what is answered inside of it is done at its end.

    A server answers in it and gives the connection back: who comes next on that connection waits for no rest.
    """

    put_off: list[Callable[[], None]] | None = None

    def __enter__(self) -> None:
        self.put_off = []

    def __exit__(self, *failure: object) -> None:
        work, self.put_off = self.put_off, None
        if not work:
            return
        try:
            for then in work:
                _do(then)
        finally:
            _at_it.discard(get_ident())


the_rest = _Rest()
_at_it = set[int]()


def under_way() -> bool:
    """Whether a thread of this process has answered, and has not done the rest yet."""
    return bool(_at_it)


def _do(then: Callable[[], None]) -> None:
    try:
        then()
    except Exception:
        _log.exception("after_the_answer")
