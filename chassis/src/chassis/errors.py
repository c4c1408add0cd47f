"""Anticipated refusals. A domain function raises a named subclass that stands beside it; problems.py renders it."""

from typing import Any

CHALLENGE = 'Bearer realm="comptoir"'
"""``WWW-Authenticate`` of every 401 (RFC 9110, section 15.5.2)."""


class DomainError(Exception):
    """A refusal that the caller can understand and act on.

    ``code`` is the machine's word for it, ``status`` the HTTP status it becomes, ``title`` the same for every
    occurrence; ``detail`` says what happened this time and what to do. ``extra`` members go into the problem document.
    """

    status = 409
    code = "conflict"
    title = "This is not possible now"
    retry_after: int | None = None
    """Seconds after which the same call may succeed, where that is known."""

    def __init__(self, detail: str = "", *, errors: list[dict[str, str]] | None = None, **extra: Any) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = errors
        self.extra = extra


class NotFound(DomainError):
    """What was asked for is not there, or belongs to someone else."""

    status, code, title = 404, "not_found", "Not found"


class Invalid(DomainError):
    """Input that only the domain can judge. ``errors`` names the fields."""

    status, code, title = 400, "invalid", "The input is not valid"

    def __init__(self, field: str, detail: str, code: str = "invalid") -> None:
        super().__init__(detail, errors=[{"field": field, "detail": detail, "code": code}])


class Unavailable(DomainError):
    """Something that is needed for the answer is down; the same call may succeed soon."""

    status, code, title = 503, "unavailable", "A part of the shop is unavailable"
    retry_after = 2
