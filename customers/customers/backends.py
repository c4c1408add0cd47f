"""Sign-in to the admin: the same accounts, passwords and throttle as the API's."""

from typing import Any

from chassis.errors import DomainError
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from customers import caller
from customers.domain import sign_in
from customers.models import Customer


class ThrottledBackend(ModelBackend):
    """Django's own backend, except that failed attempts are counted."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> Customer | None:
        """The account, or nobody; a throttled attempt looks like a wrong password in the form."""
        email = (username or kwargs.get("email") or "").strip().lower()
        if not email or not password or "\0" in email:
            return None
        try:
            source = caller.origin(request) if request else "command"
            return sign_in.authenticate(email=email, password=password, origin=source)
        except DomainError:
            raise PermissionDenied from None
