"""Passwords: the rules, and hashing that cannot be used to bring the service down.

A hash costs 19 MiB and a good part of a core on purpose. Only a few run at once; who has to wait longer than two
seconds is asked to come back, so that the threads that refresh tokens and serve keys stay free.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from chassis import deadline
from chassis.errors import DomainError, Unavailable
from django.contrib.auth import hashers, password_validation
from django.core.exceptions import ValidationError

from customers.models import Customer

AT_ONCE = 4
WAIT_SECONDS = 2.0
_slots = BoundedSemaphore(AT_ONCE)
_NOBODYS = hashers.UNUSABLE_PASSWORD_PREFIX
"""Verifying against this costs one hash and always fails."""


class Busy(Unavailable):
    """Too many passwords are being checked at once."""

    code, title = "busy", "Too many people sign in at this moment"


class WeakPassword(DomainError):
    """The password breaks the rules; each broken rule is named."""

    status, code, title = 400, "invalid", "The input is not valid"


def hashed(password: str) -> str:
    """The password's argon2id hash, salted. Raises ``Busy``."""
    with _slot():
        return hashers.make_password(password)


def fits(password: str, encoded: str | None) -> bool:
    """Whether the password is the hash's; None, for nobody's, costs the same time. Raises ``Busy``."""
    with _slot():
        return hashers.check_password(password, _NOBODYS if encoded is None else encoded)


def check_rules(password: str, *, email: str, name: str) -> None:
    """Raises ``WeakPassword`` with each rule that the password breaks."""
    try:
        password_validation.validate_password(password, Customer(email=email, name=name))
    except ValidationError as error:
        broken = [
            {"field": "password", "detail": str(rule.messages[0]), "code": str(rule.code)} for rule in error.error_list
        ]
        raise WeakPassword(" ".join(rule["detail"] for rule in broken), errors=broken) from None


@contextmanager
def _slot() -> Iterator[None]:
    if not _slots.acquire(timeout=deadline.remaining(WAIT_SECONDS)):
        raise Busy("Please try again in a moment.")
    try:
        yield
    finally:
        _slots.release()
