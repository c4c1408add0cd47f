"""An answer that goes out before all of its work is done, where nobody has to wait for the rest."""

from collections.abc import Callable
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
        """Does the rest, once; what goes wrong in it is logged."""
        then, self._then = self._then, None
        try:
            if then:
                then()
        except Exception:
            _log.exception("after_the_answer")
        finally:
            super().close()
