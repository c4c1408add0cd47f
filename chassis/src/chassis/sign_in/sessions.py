"""A sign-in here ends when it ends at the provider: each session asks there again, at most every ten seconds.

So signing out anywhere, losing one's rights or a changed role works in all admins within ``FRESH_SECONDS``. While the
provider does not answer, a session goes on for ``PATIENCE_SECONDS`` after its last answer.
"""

import time
from collections.abc import Callable
from typing import Any, Literal

import orjson
import urllib3
from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse

from chassis.sign_in import people

FRESH_SECONDS = 10
PATIENCE_SECONDS = 300
_http = urllib3.PoolManager(timeout=urllib3.Timeout(connect=0.5, read=2.0), retries=False)


class StaffSessions:
    """Middleware: looks after sessions of the admin that came from the provider."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Ends the session where it is over; the admin then sends people to the provider."""
        inside = request.path.startswith(settings.ADMIN_PATH)
        if inside and (token := request.session.get("oidc_access_token")) and request.user.is_authenticated:
            _renew(request, token)
        return self.get_response(request)


def _renew(request: HttpRequest, token: str) -> None:
    now = time.time()
    age = now - request.session.get("provider_answered", 0)
    if 0 <= age <= FRESH_SECONDS:
        return
    claims = _asked(token)
    if isinstance(claims, dict) and claims.get("staff") is True and claims["sub"] == request.user.get_username():
        people.account_of(claims)
        request.session["provider_answered"] = now
    elif claims != "no answer" or age > PATIENCE_SECONDS:
        logout(request)


def _asked(token: str) -> dict[str, Any] | Literal["over", "no answer"]:
    """What the provider says of the person now."""
    try:
        url, headers = settings.OIDC_OP_USER_ENDPOINT, {"Authorization": f"Bearer {token}"}
        answer = _http.request("GET", url, headers=headers)
        if answer.status == 200:
            return dict(orjson.loads(answer.data))
    except (urllib3.exceptions.HTTPError, ValueError):
        return "no answer"
    return "over" if answer.status in (401, 403) else "no answer"
