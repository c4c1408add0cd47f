"""Who may sign in: people whom the provider sends, and the local account that is there for when it is down."""

import time
from collections import OrderedDict
from threading import Lock
from typing import Any

from django.contrib.auth.backends import BaseBackend, ModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from chassis.origin import origin

TRIES = 10
"""Wrong passwords at once from one network address, then one each 30 seconds. Counted in each process: with the
database or the provider in trouble, this is the way in."""
EACH_SECONDS = 30.0
_REMEMBERED = 10_000
_whole_at: OrderedDict[str, float] = OrderedDict()
_lock = Lock()


class Local(ModelBackend):
    """Accounts of this service alone, with a password: the owner's, made by chassis.prepare."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> Any:
        """The account; a throttled attempt looks like a wrong password."""
        if not username or not password:
            return None
        source = origin(request) if request else "command"
        if not _take(source):
            raise PermissionDenied
        user = super().authenticate(request, username.strip().lower(), password)
        if user is not None:
            _forget(source)
        return user


class Provider(BaseBackend):
    """People whom the provider sends. Their permissions are those of their groups, which ``Local`` looks up."""

    def authenticate(self, request: HttpRequest | None, **kwargs: Any) -> Any:
        """The account of the code in the request."""
        if request is None or "code_verifier" not in kwargs:
            return None
        from chassis.sign_in.client import Exchange

        return Exchange().authenticate(request, **kwargs)

    def get_user(self, user_id: Any) -> Any:
        """The account of a session."""
        return ModelBackend().get_user(user_id)


def _take(source: str) -> bool:
    """Takes a try where there is one (GCRA, as in customers)."""
    now = time.monotonic()
    with _lock:
        whole_at = max(_whole_at.pop(source, now), now) + EACH_SECONDS
        allowed = whole_at <= now + TRIES * EACH_SECONDS
        _whole_at[source] = whole_at if allowed else whole_at - EACH_SECONDS
        if len(_whole_at) > _REMEMBERED:
            _whole_at.popitem(last=False)
    return allowed


def _forget(source: str) -> None:
    with _lock:
        _whole_at.pop(source, None)
