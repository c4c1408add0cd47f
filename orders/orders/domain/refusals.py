"""Why an order is refused. Each is a definitive answer, stored under the request's key."""

from typing import Any

from chassis.errors import DomainError, NotFound


class CartNotFound(NotFound):
    """There is no such cart, or it is somebody else's."""

    code, title = "cart_not_found", "There is no such cart"


class CartEmpty(DomainError):
    """There is nothing to order."""

    code, title = "cart_empty", "The cart is empty"


class CartAlreadyOrdered(DomainError):
    """What was in this cart has been ordered."""

    code, title = "cart_already_ordered", "This cart was ordered already"


class CheckoutInProgress(DomainError):
    """Another order of the same cart is under way."""

    code, title = "checkout_in_progress", "This cart is being checked out"
    retry_after = 2


class ProductUnavailable(DomainError):
    """Goods in the cart are not for sale (any more)."""

    code, title = "product_unavailable", "Some goods are not for sale"


class TotalChanged(DomainError):
    """The total is not what the client expected."""

    code, title = "total_changed", "The total has changed"


class InsufficientStock(DomainError):
    """Not all of it is there; ``lines`` names each short SKU with what is available."""

    code, title = "insufficient_stock", "There is not enough in stock"


class PaymentDeclined(DomainError):
    """The payment did not go through; nothing was charged."""

    status, code, title = 402, "payment_declined", "The payment was declined"


class OrderCancelled(DomainError):
    """The order was cancelled while it was being placed."""

    code, title = "order_cancelled", "The order was cancelled"


class Abandoned(DomainError):
    """The client was told to try again and did not, or not with the same cart: the same key begins anew."""

    status, code, title = 503, "abandoned", "The order was given up"
    retry_after = 2


def insufficient(lines: list[dict[str, Any]]) -> InsufficientStock:
    """The refusal that stock's answer means."""
    named = "; ".join(f"{line['sku']}: {line['available']} available, {line['quantity']} asked for" for line in lines)
    return InsufficientStock(f"Not enough in stock: {named}.", lines=lines)
