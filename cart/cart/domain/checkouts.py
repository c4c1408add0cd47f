"""The cart's part in an order: a checkout begins, ends, and the order takes out what it has bought."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chassis import prepared
from chassis.errors import DomainError
from django.db import connection

from cart import metrics
from cart.domain import carts, statements
from cart.domain.contents import Contents
from cart.models import Cart, Consumed


class CheckoutInProgress(DomainError):
    """An order is being made of this cart."""

    code, title = "checkout_in_progress", "An order is being made of this cart"


class AlreadyOrdered(DomainError):
    """This order has taken its lines out of the cart: it begins no second checkout."""

    code, title = "cart_already_ordered", "This order has been made of the cart already"


def begin(*, id: UUID, order: UUID, customer: UUID | None, ttl: int) -> Contents:
    """Remembers for ``ttl`` seconds of the database's clock that the order is being made, and returns the cart.

    Meanwhile a claim is refused; lines may still change. The same order may repeat it, which sets the time anew.
    Raises ``CartNotFound`` (a customer's cart needs that customer), ``CheckoutInProgress`` while another order's
    checkout is under way, and ``AlreadyOrdered`` after the order's ``consume``.
    """
    contents = carts.read(id=id, customer=customer, statement=statements.BEGIN_CHECKOUT, order=order, ttl=ttl)
    if contents.checkout != order:
        if Consumed.objects.filter(pk=order).exists():
            raise AlreadyOrdered("The order has taken its lines out of the cart.")
        raise CheckoutInProgress("Another order is being made of this cart. Try again when it is through.")
    metrics.CARTS.labels("checked_out").inc()
    return contents


def end(*, id: UUID, order: UUID) -> None:
    """Ends the order's checkout, if there is one. May be repeated; another order's checkout is left alone."""
    with connection.cursor() as cursor:
        prepared.execute(cursor, statements.END_CHECKOUT, {"id": id, "order": order})


@dataclass(frozen=True)
class Bought:
    """What an order has bought of a cart: quantities by SKU."""

    order: UUID
    cart: UUID
    lines: Mapping[str, int]


def consume(*, id: UUID, order: UUID, lines: Mapping[str, int]) -> None:
    """``consume_all`` for one order."""
    consume_all(bought=[Bought(order=order, cart=id, lines=lines)])


def consume_all(*, bought: Sequence[Bought]) -> None:
    """Takes the ordered quantities out of each cart, never below zero, and ends the order's checkout; all or none.

    Once per order, however often it is called: a row remembers. What was added meanwhile stays. A cart that is gone
    has nothing to take. No two may be of the same cart.
    """
    lines = [(each.order, sku, quantity) for each in bought for sku, quantity in each.lines.items()]
    orders, skus, quantities = (list(column) for column in zip(*lines, strict=True))
    values: dict[str, Any] = {"carts": [each.cart for each in bought], "orders": [each.order for each in bought]}
    values |= {"line_orders": orders, "skus": skus, "quantities": quantities}
    with connection.cursor() as cursor:
        prepared.execute(cursor, statements.CONSUME, values)
        taken = cursor.fetchall()
    metrics.CARTS.labels("bought").inc(len(taken))


def forget(*, orders: Sequence[UUID]) -> list[UUID]:
    """Forgets that these orders took their lines, and their checkouts; returns those that were remembered.

    For what a restore of the orders' database has lost: no such order will ever ask again. May be repeated.
    """
    Cart.objects.filter(checkout_order__in=orders).update(checkout_order=None, checkout_until=None)
    taken = Consumed.objects.filter(pk__in=orders)
    known = list(taken.values_list("pk", flat=True))
    taken.delete()
    return known
