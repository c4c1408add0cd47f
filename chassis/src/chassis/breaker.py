"""What keeps callers from making it worse for a service that is down: a circuit breaker and a budget for retries.

Own code, because pybreaker holds its lock while the call runs: calls of one process would queue one behind the other.
https://martinfowler.com/bliki/CircuitBreaker.html
"""

from collections.abc import Callable
from threading import Lock
from time import monotonic


class Breaker:
    """Opens after ``failures`` in a row; while it is open, one call every ``pause`` seconds is let through to try.

    ``tell`` hears when it opens (True) and closes (False).
    """

    def __init__(
        self, *, failures: int = 10, pause: float = 1.0, tell: Callable[[bool], object] = lambda opened: None
    ) -> None:
        self._most, self._pause, self._tell = failures, pause, tell
        self._failed, self._next_try, self._lock = 0, 0.0, Lock()

    @property
    def failures(self) -> int:
        """How many calls in a row brought no answer."""
        return self._failed

    @property
    def is_to_be_tried(self) -> bool:
        """Whether it is open, and the next call that it lets through is due."""
        return self._failed >= self._most and monotonic() >= self._next_try

    def allows(self) -> bool:
        """Whether a call may be made now; its outcome is to be told by ``succeeded`` or ``failed``."""
        with self._lock:
            if self._failed < self._most:
                return True
            if monotonic() < self._next_try:
                return False
            self._next_try = monotonic() + self._pause
            return True

    def succeeded(self) -> None:
        """The call brought an answer: the breaker is closed."""
        with self._lock:
            was_open, self._failed = self._failed >= self._most, 0
        if was_open:
            self._tell(False)

    def failed(self) -> None:
        """The call brought none."""
        with self._lock:
            self._failed += 1
            if self._failed >= self._most:
                self._next_try = monotonic() + self._pause
            opened = self._failed == self._most
        if opened:
            self._tell(True)


class RetryBudget:
    """Every call earns a tenth of a retry, up to ``most`` retries; a retry spends a whole one."""

    def __init__(self, most: int = 10) -> None:
        self._most, self._tenths, self._lock = most * 10, most * 10, Lock()

    def earn(self) -> None:
        """Counts a call."""
        with self._lock:
            self._tenths = min(self._most, self._tenths + 1)

    def spend(self) -> bool:
        """Whether a retry may be made; takes it from the budget."""
        with self._lock:
            if self._tenths < 10:
                return False
            self._tenths -= 10
            return True
