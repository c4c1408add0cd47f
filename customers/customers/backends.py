"""Who is signed in to the admin. How one gets there is in sign_in_form: a password alone may not be enough."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from customers.models import Customer


class AccountBackend(ModelBackend):
    """Django's own backend for permissions and sessions. It signs nobody in by itself."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> Customer | None:
        """Nobody: the form asks the domain, which counts failed tries and knows of second factors."""
        return None
