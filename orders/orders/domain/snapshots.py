"""What is ordered, at the prices of the moment: read once from cart and products, written once, never read again."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from chassis import prepared
from chassis.errors import Unavailable
from chassis.money import money, shown
from django.conf import settings
from django.db import IntegrityError, connection

from orders import clients
from orders.domain import refusals
from orders.domain.transitions import Fenced
from orders.models import FAILED, Order, OrderLine

_WRITE = """
    WITH kept AS (
        UPDATE orders_order SET cart_version = %(version)s, subtotal = %(total)s, total = %(total)s, updated = now()
        WHERE id = %(id)s AND state = 'pending' AND lease = %(lease)s AND cart_version IS NULL RETURNING id
    ), lines AS (
        INSERT INTO orders_orderline (order_id, sku, name, quantity, unit_price)
        SELECT kept.id, l.sku, l.name, l.quantity, l.unit_price
        FROM kept, json_to_recordset(%(lines)s::json) AS l(sku text, name text, quantity int, unit_price bigint)
    )
    SELECT EXISTS (SELECT FROM kept)
"""


def take(order: Order) -> None:
    """Writes the snapshot of the order's cart. Raises the refusals that a cart or its goods can be a reason for."""
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
    _write(order, cart["version"], total, lines)


def lines_of(order: Order) -> list[OrderLine]:
    """The order's lines; read from the database once, or kept from writing them."""
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
    if Order.objects.filter(cart=order.cart).exclude(pk=order.pk).exclude(state__in=FAILED).exists():
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


def _write(order: Order, version: int, total: int, lines: list[dict[str, Any]]) -> None:
    values: dict[str, Any] = {"version": version, "total": total, "id": order.pk, "lease": order.lease}
    try:
        with connection.cursor() as cursor:
            prepared.execute(cursor, _WRITE, values | {"lines": orjson.dumps(lines).decode()})
            written = cursor.fetchone()[0]
    except IntegrityError:  # this version of the cart has an order that did not fail
        raise refusals.CartAlreadyOrdered("What was in this cart has been ordered.") from None
    if not written:
        raise Fenced(f"order {order.pk} is not ours")
    order.cart_version, order.subtotal, order.total = version, total, total
    order._lines = [OrderLine(order=order, **line) for line in lines]  # type: ignore[attr-defined]
