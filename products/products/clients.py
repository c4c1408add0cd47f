"""What this service asks of others: stock takes in the quantities of an import."""

from collections.abc import Mapping
from functools import cache

from chassis import env
from chassis.errors import DomainError
from chassis.http import ServiceClient


class ReceiptsRefused(DomainError):
    """Stock understood the receipts and did not take them."""

    code, title = "receipts_refused", "The stock service refused the quantities"


@cache
def stock() -> ServiceClient:
    """The stock service; 2,000 lines may take it a while."""
    # STOCK_URL: the stock service's address, comma-separated where there are several.
    return ServiceClient("stock", env.words("STOCK_URL"), read=30.0)


def receive(*, reference: str, quantities: Mapping[str, int]) -> int:
    """Has quantities by SKU (at most 2,000) taken in, each SKU once per reference; returns how many were new.

    Raises ``DependencyUnavailable`` where stock does not answer, ``ReceiptsRefused`` where it says no.
    """
    lines = [{"sku": sku, "quantity": quantity} for sku, quantity in quantities.items()]
    answer = stock().call("POST", "/internal/receipts", body={"reference": reference, "lines": lines}, repeatable=True)
    if not answer.ok:
        raise ReceiptsRefused(f"The stock service answered {answer.status} {answer.code}.")
    return int(answer.body["received"])
