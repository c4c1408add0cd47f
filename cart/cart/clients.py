"""The calls of other services: what goods are and cost (products), how much of them there is (stock)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import structlog
from chassis import env
from chassis.http import DependencyUnavailable, ServiceClient

_log = structlog.get_logger("clients")


@dataclass(frozen=True)
class Variant:
    """What products says of a SKU today; ``amount`` in minor units. Archived goods and drafts are not sellable."""

    name: str
    amount: int
    currency: str
    sellable: bool


def variants(skus: Sequence[str]) -> dict[str, Variant]:
    """The goods of at most 1,000 SKUs; those that do not exist are missing. Raises ``DependencyUnavailable``."""
    found = _ask(_products(), "/internal/variants", skus)["variants"]
    return {
        row["sku"]: Variant(row["name"], row["price"]["amount"], row["price"]["currency"], row["sellable"])
        for row in found
    }


def available(skus: Sequence[str]) -> dict[str, int]:
    """How many of each of at most 1,000 SKUs can be sold. Raises ``DependencyUnavailable``."""
    return {row["sku"]: row["available"] for row in _ask(_stock(), "/internal/availability", skus)["results"]}


def _ask(service: ServiceClient, path: str, skus: Sequence[str]) -> Any:
    answer = service.call("POST", path, body={"skus": list(skus)}, repeatable=True)
    if not answer.ok:
        # It answers, and refuses us: a key or a version that does not fit, which no client can do anything about.
        _log.error("call_refused", target=service.target, status=answer.status, code=answer.code)
        raise DependencyUnavailable(service.target, reached=True)
    return answer.body


@cache
def _products() -> ServiceClient:
    # PRODUCTS_URL: the products service's instances, comma separated.
    return ServiceClient("products", env.words("PRODUCTS_URL"))


@cache
def _stock() -> ServiceClient:
    # STOCK_URL: the stock service.
    return ServiceClient("stock", env.words("STOCK_URL"))
