"""Requests by view, in django-prometheus' own words; of its many metrics the two that say everything.

Each one more would cost every request some microseconds: https://github.com/korfuri/django-prometheus counts 25 things
a request, most of which can be summed up from these two.
"""

from collections.abc import Callable
from functools import cache
from time import perf_counter

from django.http import HttpRequest, HttpResponse
from django_prometheus.conf import NAMESPACE, PROMETHEUS_LATENCY_BUCKETS
from prometheus_client import Counter, Histogram

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
LATENCY = Histogram(
    "django_http_requests_latency_seconds_by_view_method",
    "Time that requests took, by view and method.",
    ["view", "method"],
    buckets=PROMETHEUS_LATENCY_BUCKETS,
    namespace=NAMESPACE,
)
RESPONSES = Counter(
    "django_http_responses_total_by_status_view_method",
    "Answers by status, view and method.",
    ["status", "view", "method"],
    namespace=NAMESPACE,
)


class MetricsMiddleware:
    """Counts each request, and how long it took."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer, counted."""
        began = perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        view = (match and match.view_name) or "<unnamed view>"
        method = request.method if request.method in _METHODS else "<invalid method>"
        responses, latency = _series(response.status_code, view, method)
        responses.inc()
        latency.observe(perf_counter() - began)
        return response


@cache
def _series(status: int, view: str, method: str) -> tuple[Counter, Histogram]:
    return RESPONSES.labels(status, view, method), LATENCY.labels(view, method)
