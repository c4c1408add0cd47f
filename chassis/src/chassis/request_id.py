"""One id a request, from the gateway through every service and log line; one log line a request."""

import re
import uuid
from collections.abc import Callable
from time import perf_counter

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars

from chassis import deadline, env, logs, queueing

HEADER = "X-Request-ID"
_SANE = re.compile(r"[A-Za-z0-9._-]{1,64}")
# https://www.w3.org/TR/trace-context/#traceparent-header
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_MOST_HOSTS = 100
_QUIET = frozenset({"/livez", "/readyz"})


def current() -> str:
    """The id of the request (or job) at hand; empty outside of one."""
    return str(get_contextvars().get("request_id", ""))


def carried() -> dict[str, str]:
    """The headers that a call to another service takes along: the request's id, and its trace where it has one."""
    known = get_contextvars()
    headers = {HEADER: str(known.get("request_id", ""))}
    return headers | {"traceparent": known["traceparent"]} if "traceparent" in known else headers


def sane_or_new(candidate: str | None) -> str:
    """The client's own id if it is 1 to 64 letters, digits, dots, dashes or underscores, else a new one."""
    return candidate if candidate and _SANE.fullmatch(candidate) else uuid.uuid4().hex


class RequestMiddleware:
    """Binds the request's id and deadline, answers with ``X-Request-ID``, and writes the request's one log line.

    ``X-Served-By`` is the instance's name: behind a name server the gateway sees nothing but addresses. ``X-Customer``
    is for the gateway's log alone.

    The line holds the route's pattern, never the query string: access tokens of guests travel in it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        # INSTANCE: this process's name.
        self.instance = env.text("INSTANCE", settings.SERVICE)
        self._hosts = set[str | None]()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answers the request within its deadline."""
        started = perf_counter()
        clear_contextvars()
        request_id = sane_or_new(request.META.get("HTTP_X_REQUEST_ID"))
        bind_contextvars(request_id=request_id)
        if (trace := request.META.get("HTTP_TRACEPARENT")) and _TRACEPARENT.fullmatch(trace):
            bind_contextvars(traceparent=trace)
        if left := request.META.get("HTTP_X_REQUEST_START"):
            queueing.waited(left)
        self._check_host(request)
        limit = deadline.parse(request.META.get("HTTP_X_TIMEOUT_MS"))
        with deadline.within(60.0 if limit is None else limit):
            late = request.method in ("GET", "HEAD") and deadline.too_late(limit)
            response = _too_busy() if late else self.get_response(request)
        if not response.streaming and response.status_code not in (204, 304):
            # Else it would go in chunks: three parts instead of one (chassis.server).
            response.headers.setdefault("Content-Length", str(len(response.content)))
        response[HEADER] = request_id
        response["X-Served-By"] = self.instance
        if settings.PERSONAL:
            response.headers.setdefault("Cache-Control", "no-store")
        if (principal := getattr(request, "principal", None)) and principal.kind == "customer":
            response["X-Customer"] = principal.id
        if request.path not in _QUIET:
            self._write(request, response, perf_counter() - started)
        return response

    def _check_host(self, request: HttpRequest) -> None:
        """Refuses a Host that is not ours, before anything builds a link from it. Those that were ours are known."""
        host = request.META.get("HTTP_HOST")
        if host not in self._hosts:
            request.get_host()
            if len(self._hosts) < _MOST_HOSTS:  # any port is ours
                self._hosts.add(host)

    def _write(self, request: HttpRequest, response: HttpResponse, seconds: float) -> None:
        match, principal = request.resolver_match, getattr(request, "principal", None)
        logs.request(
            method=request.method,
            route=match.route if match else None,
            status=response.status_code,
            ms=round(seconds * 1000, 1),
            caller=f"{principal.kind}:{principal.id}" if principal else None,
        )
        if response.status_code >= 500:
            logs.output.flush()  # what led to it, too


def _too_busy() -> HttpResponse:
    from chassis import problems  # which needs this module

    response = problems.response(status=429, code="rate_limited", detail="Too many requests at once; try again later.")
    response["Retry-After"] = "1"
    return response
