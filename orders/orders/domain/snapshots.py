"""What is ordered, at the prices of the moment: read from cart and products, written once, never read again."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from chassis.errors import Unavailable
from chassis.money import money, shown
from django.conf import settings

from orders import clients
from orders.domain import refusals
from orders.domain.transitions import Along
from orders.models import FAILED, Order, OrderLine

COLUMNS = ("cart_version", "subtotal", "total")
"""What of it stands in the order's row; ``written`` has the lines."""
_LINES = """
    lines AS (
        INSERT INTO orders_orderline (order_id, sku, name, quantity, unit_price)
        SELECT moved.id, l.sku, l.name, l.quantity, l.unit_price
        FROM moved, json_to_recordset(%(lines)s::json) AS l(sku text, name text, quantity int, unit_price bigint)
    )"""


def take(order: Order) -> None:
    """Asks cart and products: the order knows its lines and its total then, and nothing is written yet.

    Raises the refusals that a cart or its goods can be a reason for, and leaves the order as it was.
    """
    answer = clients.begin_checkout(cart=order.cart, order=order.pk, customer=order.customer)
    _refuse_cart(order, answer.status, answer.code)
    cart = answer.body
    if not cart["lines"]:
        raise _why_empty(order)
    lines = _priced(cart["lines"], clients.variants(skus=[line["sku"] for line in cart["lines"]]))
    total = sum(line["quantity"] * line["unit_price"] for line in lines)
    if order.expected_total is not None and order.expected_total != total:
        raise refusals.TotalChanged(
            f"The total is {shown(total, order.currency)} now, not {shown(order.expected_total, order.currency)}.",
            total=money(total, order.currency),
        )
    order.cart_version, order.subtotal, order.total = cart["version"], total, total
    order._lines = [OrderLine(order=order, **line) for line in lines]  # type: ignore[attr-defined]


def written(order: Order) -> Along:
    """The order's lines, written in the transaction of an advance that writes ``COLUMNS``."""
    names = ("sku", "name", "quantity", "unit_price")
    lines = [{name: getattr(line, name) for name in names} for line in lines_of(order)]
    return Along().add(_LINES, lines=orjson.dumps(lines).decode())


def lines_of(order: Order) -> list[OrderLine]:
    """The order's lines; read from the database once, or kept from taking them."""
    if not hasattr(order, "_lines"):
        order._lines = list(order.lines.all())  # type: ignore[attr-defined]
    return order._lines  # type: ignore[attr-defined]


def known_lines_of(order: Order) -> list[OrderLine]:
    """The order's lines as far as they are known without the database."""
    return getattr(order, "_lines", [])


def quantities(lines: Iterable[OrderLine]) -> list[dict[str, Any]]:
    """SKU and quantity of each line, as other services take them."""
    return [{"sku": line.sku, "quantity": line.quantity} for line in lines]


def _refuse_cart(order: Order, status: int, code: str) -> None:
    if status == 404:
        raise refusals.CartNotFound(f"There is no cart {order.cart}.")
    if code == "cart_already_ordered":
        raise refusals.CartAlreadyOrdered("What was in this cart has been ordered.")
    if code == "checkout_in_progress":
        raise Unavailable("The cart is still held by an earlier checkout. Please try again.")
    if status != 200:
        raise Unavailable(f"cart answered {status} {code}")


def _why_empty(order: Order) -> Exception:
    others = Order.objects.filter(cart=order.cart, cart_version__isnull=False).exclude(pk=order.pk)
    if others.exclude(state__in=FAILED).exists():
        return refusals.CartAlreadyOrdered("What was in this cart has been ordered.")
    return refusals.CartEmpty("Put something into the cart first.")


def _priced(lines: Sequence[Mapping[str, Any]], variants: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    missing = [line["sku"] for line in lines if not _for_sale(variants.get(line["sku"]))]
    if missing:
        raise refusals.ProductUnavailable(
            f"Not for sale: {', '.join(missing)}. Take them out of the cart.", skus=missing
        )
    return [
        {
            "sku": line["sku"],
            "quantity": line["quantity"],
            "name": variants[line["sku"]]["name"][:300],
            "unit_price": variants[line["sku"]]["price"]["amount"],
        }
        for line in lines
    ]


def _for_sale(variant: Mapping[str, Any] | None) -> bool:
    return bool(variant and variant["sellable"] and variant["price"]["currency"] == settings.CURRENCY)
