"""The calls of other services: what carts and orders hold of a customer."""

from functools import cache
from typing import Any
from uuid import UUID

import structlog
from chassis import env
from chassis.http import Answer, DependencyUnavailable, ServiceClient

HOLDERS = ("orders", "cart")
"""Who holds something of customers, in the order of erasure: what is ordered is made of carts. Products and stock hold
nothing."""
_log = structlog.get_logger("clients")


def held(*, service: str, customer: UUID) -> dict[str, Any]:
    """All that the service holds of the customer. Raises ``DependencyUnavailable``."""
    return dict(_ask("GET", service, customer).body)


def erase(*, service: str, customer: UUID) -> bool:
    """Has the service erase what it holds; False while it cannot yet. Raises ``DependencyUnavailable``."""
    return _ask("DELETE", service, customer).ok


def _ask(method: str, service: str, customer: UUID) -> Answer:
    answer = _client(service).call(method, f"/internal/customers/{customer}")
    if not answer.ok and answer.code != "orders_under_way":
        # It answers, and refuses us: a key or a version that does not fit, which no customer can do anything about.
        _log.error("call_refused", target=service, status=answer.status, code=answer.code)
        raise DependencyUnavailable(service, reached=True)
    return answer


@cache
def _client(service: str) -> ServiceClient:
    # CART_URL, ORDERS_URL: those services.
    return ServiceClient(service, env.words(f"{service.upper()}_URL"))
