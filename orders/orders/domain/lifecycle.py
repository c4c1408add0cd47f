"""After the checkout: cancel, ship, deliver, refund, mark an invoice as paid."""

from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Now

from orders import metrics
from orders.domain import completion, leases
from orders.domain.transitions import LEGAL, InvalidTransition
from orders.models import LIVE, Mail, Order, Payment, State

_CANCELLABLE = [*LIVE, State.COMPLETED]
_PROMISED = [State.CONFIRMED, State.STOCK_COMMITTED, State.COMPLETED, State.SHIPPED, State.DELIVERED]
_DONE = {State.SHIPPED: "shipped", State.DELIVERED: "delivered", State.REFUNDING: "refunded"}
"""What people call what was asked for."""
_ENDED = [State.CANCELLING, State.CANCELLED, State.REFUNDING, State.REFUNDED]


def cancel(*, order: Order, actor: str) -> Order:
    """Cancels until it is shipped: frees the goods, finds out whether money moved, gives it back if so.

    What an outage holds up goes on by itself. Cancelling again changes nothing. Raises ``InvalidTransition`` once it
    is shipped, or was rejected.
    """
    with transaction.atomic():
        asked = Order.objects.filter(pk=order.pk, state__in=_CANCELLABLE).update(
            cancel_requested=Now(), next_attempt=Now()
        )
        if asked:
            _note(order.pk, "cancel_requested", actor)
    if not asked:
        order.refresh_from_db()
        if order.state not in _ENDED:
            raise InvalidTransition(f"An order that is {order.status} cannot be cancelled.")
    completion.resume(id=order.pk)
    order.refresh_from_db()
    return order


def ship(*, order: Order, actor: str) -> Order:
    """The parcel has left. Raises ``InvalidTransition`` unless the order is confirmed and its goods are booked out."""
    return _move(order, State.SHIPPED, actor=actor)


def deliver(*, order: Order, actor: str) -> Order:
    """The parcel has arrived. Raises ``InvalidTransition`` unless it was shipped."""
    return _move(order, State.DELIVERED, actor=actor)


def refund(*, order: Order, actor: str) -> Order:
    """Gives the whole payment back; the goods too, unless they were shipped. Refunding again changes nothing.

    Raises ``InvalidTransition`` for an order that is not confirmed yet or never was.
    """
    order.refresh_from_db()
    if order.state in (State.CONFIRMED, State.STOCK_COMMITTED):
        return cancel(order=order, actor=actor)
    if order.state not in (State.REFUNDING, State.REFUNDED):
        _move(order, State.REFUNDING, actor=actor)
    completion.resume(id=order.pk)
    order.refresh_from_db()
    return order


def mark_paid(*, order: Order, actor: str) -> Order:
    """The invoice was paid. Raises ``InvalidTransition`` where nothing is due."""
    with transaction.atomic():
        # A refund begins with an update of the order's row, so it waits for us, or we for it.
        locked = Order.objects.select_for_update().filter(pk=order.pk, state__in=_PROMISED).exists()
        due = Payment.objects.filter(order=order, state=Payment.State.DUE)
        if not locked or not due.update(state=Payment.State.PAID, updated=Now()):
            raise InvalidTransition("No payment is due for this order.")
        _note(order.pk, "marked_paid", actor)
    order.refresh_from_db()
    return order


def _move(order: Order, to: State, *, actor: str) -> Order:
    """An order at rest goes on by somebody's word; one whose cancellation is under way does not."""
    sources = [source for source, targets in LEGAL.items() if to in targets]
    resting = [State.COMPLETED, State.SHIPPED, State.DELIVERED]
    allowed = [source for source in sources if source in resting]
    leases.wait_for_rest(Order.objects.filter(pk=order.pk))
    with transaction.atomic():
        moved = Order.objects.filter(pk=order.pk, state__in=allowed, cancel_requested=None).update(
            state=to, updated=Now(), next_attempt=Now(), attempts=0
        )
        if not moved:
            order.refresh_from_db()
            raise InvalidTransition(f"An order that is {order.status} cannot be {_DONE[to]} now.")
        _note(order.pk, to, actor)
        if to == State.SHIPPED:
            Mail.objects.create(order=order, kind="shipped")
    metrics.TRANSITIONS.labels(to).inc()
    order.refresh_from_db()
    return order


def _note(order: UUID, event: str, actor: str) -> None:
    """Writes an event; one that is there already stays as it is."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO orders_orderevent (order_id, event, actor, note) VALUES (%s, %s, %s, '')
               ON CONFLICT (order_id, event) DO NOTHING""",
            [order, event, actor],
        )
