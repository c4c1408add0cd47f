"""What the admin needs of Django's middleware: sessions, forms, messages. The API passes it by.

Each class is Django's own, asked for paths below the admin alone.
"""

from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.security import SecurityMiddleware
from django.utils.deprecation import MiddlewareMixin


class _AdminOnly(MiddlewareMixin):
    def __init__(self, get_response: Any) -> None:
        super().__init__(get_response)
        self._path = settings.ADMIN_PATH

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(self._path):
            return super().__call__(request)  # type: ignore[return-value]
        return self.get_response(request)  # type: ignore[return-value]


class Security(_AdminOnly, SecurityMiddleware):
    """Headers of pages; the gateway gives the API its own."""


class Session(_AdminOnly, SessionMiddleware):
    """``request.session``."""


class Csrf(_AdminOnly, CsrfViewMiddleware):
    """Forms come from our own pages. The API takes no cookie, so no browser can be led to call it for its user."""


class Authentication(_AdminOnly, AuthenticationMiddleware):
    """``request.user``."""


class Messages(_AdminOnly, MessageMiddleware):
    """What the next page says of what was done."""


class Frames(_AdminOnly, XFrameOptionsMiddleware):
    """No page is shown inside of another site."""
