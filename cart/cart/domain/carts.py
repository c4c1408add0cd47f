"""Carts as a whole: open, read, current, delete, forget."""

from threading import BoundedSemaphore
from time import monotonic, sleep
from typing import Any
from uuid import UUID, uuid4

from chassis import env, prepared
from chassis.errors import DomainError, NotFound
from django.db import connection, transaction
from django.db.models import Q

from cart import metrics
from cart.domain import statements
from cart.domain.contents import Contents, Item, remember
from cart.models import MAX_LINES, Cart, Consumed, Line

FORGOTTEN_AFTER_DAYS = 90
PATIENCE_SECONDS = 0.5
"""How long who looks at a cart, or changes it, waits for an order that is being made of it."""
# THREADS: requests that the process answers at once.
MOST_WAITING = env.integer("THREADS", 8) * 5 // 8
"""How many do so at the same time: what they wait for needs a thread, too."""
_WAITING = BoundedSemaphore(MOST_WAITING)


class CartNotFound(NotFound):
    """There is no cart with this id, or it is another customer's, or a customer's and nobody is signed in."""

    code, title = "cart_not_found", "There is no such cart"


class CartFull(DomainError):
    """A cart holds at most ``MAX_LINES`` lines."""

    code, title = "cart_full", "The cart is full"

    def __init__(self) -> None:
        super().__init__(f"A cart holds at most {MAX_LINES} different goods. Take something out first.")


def open_cart(*, customer: UUID | None) -> Contents:
    """A new empty cart: a guest's, or the customer's, whose current cart it becomes."""
    id = uuid4()
    with connection.cursor() as cursor:
        prepared.execute(cursor, statements.OPEN, {"id": id, "customer": customer})
    metrics.CARTS.labels("opened").inc()
    return remember(Contents(id=id, version=0, items=()))


def look(*, id: UUID, customer: UUID | None) -> Contents:
    """``read`` for people: who has just ordered may come before the lines have left, and waits for that, a moment.

    Whoever comes when ``MOST_WAITING`` do so finds the cart as it is.
    """
    found = read(id=id, customer=customer)
    if not found.busy or not _WAITING.acquire(blocking=False):
        return found
    try:
        ends = monotonic() + PATIENCE_SECONDS
        while found.busy and monotonic() < ends:
            sleep(0.02)
            found = read(id=id, customer=customer)
        return found
    finally:
        _WAITING.release()


def read(*, id: UUID, customer: UUID | None, statement: str = statements.READ, **values: Any) -> Contents:
    """The cart as it stands. Raises ``CartNotFound``, also for a cart that ``customer`` may not see.

    ``statement`` with its ``values`` may do something else before, if it answers what ``READ`` answers.
    """
    with connection.cursor() as cursor:
        prepared.execute(cursor, statement, {"id": id, "customer": customer, **values})
        rows = cursor.fetchall()
    if not rows:
        raise CartNotFound("There is no cart with this id, or it belongs to a customer who is not signed in here.")
    version, busy, checkout = rows[0][:3]
    items = tuple(Item(*row[3:]) for row in rows if row[3] is not None)
    return Contents(id=id, version=version, items=items, busy=busy, checkout=checkout)


def current(*, customer: UUID) -> Contents:
    """The customer's current cart, which is the newest one opened or claimed; a new one where there is none."""
    if id := current_id(customer):
        return look(id=id, customer=customer)
    with transaction.atomic():
        one_at_a_time(customer)
        id = current_id(customer)
        return read(id=id, customer=customer) if id else open_cart(customer=customer)


def delete(*, id: UUID, customer: UUID | None) -> None:
    """Deletes the cart and its lines. Raises ``CartNotFound``."""
    with transaction.atomic():
        mine = Cart.objects.filter(Q(customer=None) | Q(customer=customer), pk=id)
        if not mine.select_for_update().values_list("pk").first():
            raise CartNotFound("There is no cart with this id, or it belongs to a customer who is not signed in here.")
        remove([id])
    metrics.CARTS.labels("deleted").inc()


def forget_old(*, days: int = FORGOTTEN_AFTER_DAYS, batch: int = 1000) -> int:
    """Deletes guests' carts that nobody has changed for ``days`` days, at most ``batch`` of them; returns how many.

    One that is being checked out stays.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(statements.FORGET_OLD, {"days": days, "batch": batch})
            chosen = [row[0] for row in cursor.fetchall()]
        remove(chosen)
    metrics.CARTS.labels("forgotten").inc(len(chosen))
    return len(chosen)


def current_id(customer: UUID) -> UUID | None:
    """The id of the customer's current cart, None where there is none."""
    mine = Cart.objects.filter(customer=customer).order_by("-adopted", "-id")
    return mine.values_list("pk", flat=True).first()


def one_at_a_time(customer: UUID) -> None:
    """Until the transaction ends, nobody else makes or claims a current cart for this customer."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [str(customer)])


def remove(ids: list[Any]) -> None:
    """Deletes carts with all that belongs to them, in the caller's transaction."""
    for model in (Line, Consumed):
        model.objects.filter(cart__in=ids)._raw_delete(connection.alias)
    Cart.objects.filter(pk__in=ids)._raw_delete(connection.alias)
