"""Finding orders: who may see which, and the staff's search."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from chassis.errors import NotFound
from chassis.pages import rfc3339
from django.db.models import Q, QuerySet

from orders.domain import documents
from orders.models import STATUS, Order, OrderEvent, State


class UnknownOrder(NotFound):
    """There is no such order, or it is somebody else's."""

    code, title = "order_not_found", "There is no such order"


def visible(*, id: UUID, customer: UUID | None, staff: bool, access_token: str) -> Order:
    """The order, for staff, its owner, or a guest with its access token; else ``UnknownOrder``."""
    order = Order.objects.select_related("payment").filter(pk=id).first()
    if order is not None:
        owner = customer is not None and order.customer == customer
        if staff or owner or (order.customer is None and documents.opens(access_token, id)):
            return order
    raise UnknownOrder(f"There is no order {id} that you may see.")


def search(*, customer: UUID | None, status: str = "", q: str = "") -> QuerySet[Order]:
    """Orders by client status and by number, e-mail, id or name; all of them where ``customer`` is None."""
    rows = Order.objects.select_related("payment").prefetch_related("lines")
    if customer is not None:
        rows = rows.filter(customer=customer)
    if status:
        rows = rows.filter(state__in=[state for state in State if STATUS[state] == status])
    return rows.filter(_matches(q.strip())) if q.strip() else rows


def documents_of(orders: Iterable[Order]) -> list[dict[str, Any]]:
    """The orders as clients see them."""
    return [documents.document(order, order.lines.all(), getattr(order, "payment", None)) for order in orders]


def events(*, order: Order) -> list[dict[str, Any]]:
    """What happened to the order, oldest first."""
    return [_event(event) for event in order.events.all()]


def _event(event: OrderEvent) -> dict[str, Any]:
    status = STATUS[State(event.event)] if event.event in State else None
    return {"event": event.event, "status": status, "note": event.note, "created": rfc3339(event.created)}


def _matches(q: str) -> Q:
    found = Q(email__iexact=q) | Q(shipping_address__name__icontains=q)
    if q.isascii() and q.isdigit() and len(q) < 19:
        found |= Q(number=int(q))
    try:
        return found | Q(pk=UUID(q))
    except ValueError:
        return found
