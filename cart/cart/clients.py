"""The calls of other services: what goods are and cost (products), how much of them there is (stock)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import structlog
from chassis import env
from chassis.http import Answer, DependencyUnavailable, ServiceClient, together

_log = structlog.get_logger("clients")


@dataclass(frozen=True)
class Variant:
    """What products says of a SKU today; ``amount`` in minor units. Archived goods and drafts are not sellable."""

    name: str
    amount: int
    currency: str
    sellable: bool


def today(skus: Sequence[str]) -> tuple[dict[str, Variant], dict[str, int]]:
    """At most 1,000 SKUs: what they are, those that do not exist being absent, and how many of each can be sold.

    Both are asked at the same time. Raises ``DependencyUnavailable`` if either is down.
    """
    body = {"skus": list(skus)}
    goods, levels = together(
        _products().asking("POST", "/internal/variants", body=body, repeatable=True),
        _stock().asking("POST", "/internal/availability", body=body, repeatable=True),
    )
    variants = {
        row["sku"]: Variant(row["name"], row["price"]["amount"], row["price"]["currency"], row["sellable"])
        for row in _expect("products", goods)["variants"]
    }
    return variants, {row["sku"]: row["available"] for row in _expect("stock", levels)["results"]}


def _expect(target: str, answer: Answer) -> Any:
    if not answer.ok:
        # It answers, and refuses us: a key or a version that does not fit, which no client can do anything about.
        _log.error("call_refused", target=target, status=answer.status, code=answer.code)
        raise DependencyUnavailable(target, reached=True)
    return answer.body


@cache
def _products() -> ServiceClient:
    # PRODUCTS_URL: the products service's instances, comma separated.
    return ServiceClient("products", env.words("PRODUCTS_URL"))


@cache
def _stock() -> ServiceClient:
    # STOCK_URL: the stock service.
    return ServiceClient("stock", env.words("STOCK_URL"))
