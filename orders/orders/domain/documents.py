"""An order as clients see it. Made here, because the answer is stored in the transaction that makes it true."""

import hmac
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import orjson
from chassis.money import money
from chassis.pages import rfc3339
from django.utils.crypto import salted_hmac

from orders.models import Order, OrderLine, Payment

_PAYMENT = {Payment.State.INITIATED: "due"}


def document(order: Order, lines: Iterable[OrderLine], payment: Payment | None) -> dict[str, Any]:
    """The order of the contract; the access token is there for a guest's order only."""
    currency = order.currency
    return {
        "id": str(order.pk),
        "number": str(order.number),
        "status": order.status,
        "lines": [_line(line, currency) for line in lines],
        "subtotal": money(order.subtotal, currency),
        "discount": money(order.discount, currency),
        "shipping": money(order.shipping, currency),
        "tax": money(order.tax, currency),
        "total": money(order.total, currency),
        "email": order.email,
        "shipping_address": order.shipping_address,
        "payment": {"method": order.method, "status": _payment_status(order, payment)},
        "created": rfc3339(order.created),
        "access_token": None if order.customer else access_token(order.pk),
    }


def rendered(order: Order, lines: Iterable[OrderLine], payment: Payment | None) -> bytes:
    """The document as JSON bytes."""
    return orjson.dumps(document(order, lines, payment))


def location(order: Order) -> str:
    """Where the order is found; a guest's has the access token in it."""
    path = f"/api/v1/orders/{order.pk}"
    return path if order.customer else f"{path}?access_token={access_token(order.pk)}"


def access_token(order: UUID) -> str:
    """The secret with which a guest reaches the order: derived, so that no copy of it lies in the database."""
    return salted_hmac("orders.access", str(order), algorithm="sha256").hexdigest()


def opens(token: str, order: UUID) -> bool:
    """Whether the access token is this order's, compared in constant time."""
    return hmac.compare_digest(token.encode(), access_token(order).encode())


def _line(line: OrderLine, currency: str) -> dict[str, Any]:
    return {
        "sku": line.sku,
        "name": line.name,
        "quantity": line.quantity,
        "unit_price": money(line.unit_price, currency),
        "line_total": money(line.line_total, currency),
    }


def _payment_status(order: Order, payment: Payment | None) -> str:
    """What is known of the money: ``due`` until it moved."""
    if payment is None:
        return "voided" if order.status in ("rejected", "cancelled") else "due"
    return _PAYMENT.get(Payment.State(payment.state), payment.state)
