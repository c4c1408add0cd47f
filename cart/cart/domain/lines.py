"""Lines: set a quantity, take a line out. Both answer the whole cart at today's prices."""

from contextlib import suppress
from typing import Any
from uuid import UUID

from chassis import prepared
from chassis.errors import DomainError, NotFound
from chassis.fields import is_sku
from django.conf import settings
from django.db import IntegrityError, connection

from cart import metrics
from cart.clients import Variant
from cart.domain import carts, prices, statements
from cart.domain.contents import Contents, Item, recall, remember


class ProductNotFound(NotFound):
    """There are no goods with this SKU, or they are not for sale."""

    code, title = "product_not_found", "There are no such goods"


class CurrencyMismatch(DomainError):
    """A shop has one currency; these goods have another."""

    code, title = "currency_mismatch", "These goods are sold in another currency"


def put(*, id: UUID, customer: UUID | None, sku: str, quantity: int) -> prices.PricedCart:
    """Sets the quantity (1 to 999) of a SKU; more than there is may be asked for, only checkout refuses.

    The same call again changes nothing. Raises ``CartNotFound``, ``ProductNotFound``, ``CurrencyMismatch``,
    ``CartFull``, and ``DependencyUnavailable`` where prices cannot be had; the cart is as it was then.
    """
    if left := recall(id):
        with suppress(ProductNotFound, CurrencyMismatch):  # first of all there has to be a cart
            if cart := _put(left, customer, sku, quantity, busy_too=False):
                return cart
    if cart := _put(carts.look(id=id, customer=customer), customer, sku, quantity, busy_too=True):
        return cart
    raise carts.CartNotFound("The cart was deleted meanwhile.")


def _put(
    before: Contents, customer: UUID | None, sku: str, quantity: int, *, busy_too: bool
) -> prices.PricedCart | None:
    """The cart with the line in it; None, and nothing has changed, where there is none that may be changed now.

    ``before`` may be out of date: the version that the cart has then tells.
    """
    if not is_sku(sku):
        raise ProductNotFound(f"There are no goods with the SKU {sku}.")
    market = prices.today([*before.skus, sku])
    item = _on_sale(sku, market.variants.get(sku), quantity)
    version = _write(id=before.id, customer=customer, item=item, busy_too=busy_too)
    if version is None:
        return None
    metrics.LINES.labels("set").inc()
    after = before.with_quantity(item)
    if version != after.version:  # somebody else has changed it
        return prices.priced(remember(carts.read(id=before.id, customer=customer)))
    remember(after.as_stored(item))
    return prices.priced(after, market)


def remove(*, id: UUID, customer: UUID | None, sku: str) -> prices.PricedCart:
    """Takes a line out; one that is not there is out already. Raises ``CartNotFound``.

    Where prices cannot be had it raises ``DependencyUnavailable`` though the line is out: the call may be repeated.
    """
    with connection.cursor() as cursor:
        cursor.execute(statements.REMOVE_LINE, {"id": id, "customer": customer, "sku": sku})
        if cursor.fetchone():
            metrics.LINES.labels("removed").inc()
    return prices.priced(carts.look(id=id, customer=customer))


def _on_sale(sku: str, variant: Variant | None, quantity: int) -> Item:
    if variant is None or not variant.sellable:
        raise ProductNotFound(f"There are no goods with the SKU {sku}, or they are not for sale.")
    if variant.currency != settings.CURRENCY:
        raise CurrencyMismatch(f"{sku} is sold in {variant.currency}; this shop sells in {settings.CURRENCY}.")
    return Item(sku=sku, quantity=quantity, name=variant.name, unit_price=variant.amount)


def _write(*, id: UUID, customer: UUID | None, item: Item, busy_too: bool) -> int | None:
    """Writes the line and returns the cart's new version; None where there is no cart for it."""
    values: dict[str, Any] = {"id": id, "customer": customer, "busy_too": busy_too, **vars(item)}
    try:
        with connection.cursor() as cursor:
            prepared.execute(cursor, statements.SET_LINE, values)
            row = cursor.fetchone()
    except IntegrityError as error:
        if "cart_lines_bounded" in str(error):
            raise carts.CartFull from None
        raise
    return row and int(row[0])
