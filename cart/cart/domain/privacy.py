"""What a customer may ask of everybody who holds their data: a copy (GDPR, article 15), and erasure (article 17)."""

from typing import Any
from uuid import UUID

from chassis.pages import rfc3339
from django.conf import settings
from django.db import transaction

from cart.domain import carts
from cart.models import Cart


def held(*, customer: UUID) -> list[dict[str, Any]]:
    """All that is held of the customer: their carts, oldest first; prices are those of when a line was set."""
    rows = Cart.objects.filter(customer=customer).order_by("created", "id").prefetch_related("lines")
    return [_cart(cart) for cart in rows]


def erase(*, customer: UUID) -> None:
    """Deletes the customer's carts. May be repeated."""
    with transaction.atomic():
        mine = Cart.objects.filter(customer=customer).order_by("pk").select_for_update()
        carts.remove(list(mine.values_list("pk", flat=True)))


def _cart(cart: Cart) -> dict[str, Any]:
    return {
        "id": str(cart.pk),
        "created": rfc3339(cart.created),
        "updated": rfc3339(cart.updated),
        "lines": [
            {
                "sku": line.sku,
                "name": line.name,
                "quantity": line.quantity,
                "unit_price": {"amount": line.unit_price, "currency": settings.CURRENCY},
            }
            for line in cart.lines.all()
        ],
    }
