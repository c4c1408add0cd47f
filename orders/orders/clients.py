"""The services that an order needs, one function a call. Each call carries the order's id and may be repeated."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any
from uuid import UUID

from chassis import env
from chassis.errors import Unavailable
from chassis.http import Answer, ServiceClient

RESERVATION_SECONDS = 15 * 60


@cache
def _client(name: str, variable: str) -> ServiceClient:
    # CART_URL, PRODUCTS_URL, STOCK_URL: where those services are reached; several addresses, comma separated.
    return ServiceClient(name, env.words(variable))


def begin_checkout(*, cart: UUID, order: UUID, customer: UUID | None) -> Answer:
    """The cart's lines and version; the cart remembers that it is being checked out."""
    body = {"customer": customer and str(customer), "ttl": RESERVATION_SECONDS}
    return _client("cart", "CART_URL").call("PUT", f"/internal/carts/{cart}/checkouts/{order}", body=body)


def end_checkout(*, cart: UUID, order: UUID) -> None:
    """The cart may be claimed again."""
    _expect(_client("cart", "CART_URL").call("DELETE", f"/internal/carts/{cart}/checkouts/{order}"), 204, 404)


def consume(*, cart: UUID, order: UUID, lines: Sequence[Mapping[str, Any]]) -> None:
    """Takes what was ordered out of the cart, once per order."""
    body = {"order": str(order), "lines": list(lines)}
    path = f"/internal/carts/{cart}/consume"
    _expect(_client("cart", "CART_URL").call("POST", path, body=body, repeatable=True), 200)


def consume_all(orders: Sequence[Mapping[str, Any]]) -> None:
    """``consume`` for several orders, each of another cart: ``order``, ``cart`` and ``lines`` of each."""
    body = {"orders": [{**each, "order": str(each["order"]), "cart": str(each["cart"])} for each in orders]}
    answer = _client("cart", "CART_URL").call("POST", "/internal/carts/consume", body=body, repeatable=True)
    _expect(answer, 200)


def variants(*, skus: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Names and today's prices by SKU; what does not exist is absent."""
    client = _client("products", "PRODUCTS_URL")
    answer = client.call("POST", "/internal/variants", body={"skus": list(skus)}, repeatable=True)
    return {found["sku"]: found for found in _expect(answer, 200)["variants"]}


def reserve(*, order: UUID, lines: Sequence[Mapping[str, Any]]) -> Answer:
    """Sets the goods aside for 15 minutes, or renews that."""
    body = {
        "lines": [{"sku": line["sku"], "quantity": line["quantity"]} for line in lines],
        "ttl": RESERVATION_SECONDS,
    }
    return _stock("PUT", order, "", body)


def commit(*, order: UUID) -> Answer:
    """Sells what is reserved."""
    return _stock("POST", order, "/commit")


def commit_all(*, orders: Sequence[UUID]) -> set[UUID]:
    """Sells what is reserved for several orders; those whose goods were sold by it. Of the others ``commit`` tells."""
    body = {"ids": [str(id) for id in orders]}
    answer = _client("stock", "STOCK_URL").call("POST", "/internal/reservations/commit", body=body, repeatable=True)
    return {UUID(id) for id in _expect(answer, 200)["sold"]}


def release(*, order: UUID) -> Answer:
    """Gives back what is reserved; spends the id."""
    return _stock("POST", order, "/release")


def give_back(*, order: UUID) -> Answer:
    """Puts sold goods back on the shelf."""
    return _stock("POST", order, "/return")


def _stock(method: str, order: UUID, step: str, body: Any = None) -> Answer:
    path = f"/api/v1/stock/reservations/{order}{step}"
    return _client("stock", "STOCK_URL").call(method, path, body=body, repeatable=True)


def _expect(answer: Answer, *statuses: int) -> Any:
    if answer.status not in statuses:
        raise Unavailable(f"A service answered {answer.status} {answer.code}. Please try again.")
    return answer.body
