"""Who works on an order: one at a time, for as long as a lease, fenced ever after."""

from time import monotonic, sleep
from uuid import UUID, uuid4

from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Now

from orders.domain.transitions import LEASE_SECONDS
from orders.models import UNDER_WAY, Order, State

PATIENCE_SECONDS = 1.0

# The condition of the partial index order_under_way, word for word, so that the planner can use it.
_STATES = ", ".join(f"'{state}'" for state in UNDER_WAY)
_WORK = f"(state IN ({_STATES}) OR (cancel_requested IS NOT NULL AND state = 'completed'))"
_TAKE = f"""
    UPDATE orders_order
    SET lease = %(lease)s, lease_until = now() + make_interval(secs => %(seconds)s),
        given_up = %(given_up)s AND given_up
    WHERE id IN (
        SELECT id FROM orders_order WHERE lease_until <= now() AND {_WORK} AND {{which}} FOR UPDATE SKIP LOCKED
    ) RETURNING *
"""
_ONE = _TAKE.format(which="id = %(id)s")
_DUE = _TAKE.format(which="next_attempt <= now() ORDER BY next_attempt LIMIT %(batch)s")


def take(*, id: UUID) -> Order | None:
    """The order, leased to the caller, or None where it is at rest or somebody is at work on it."""
    rows = Order.objects.raw(_ONE, _values() | {"id": id, "given_up": False})
    return next(iter(rows), None)


def due(*, batch: int = 10) -> list[Order]:
    """Orders that somebody has to go on with, leased to the caller, the longest waiting first."""
    return list(Order.objects.raw(_DUE, _values() | {"batch": batch, "given_up": True}))


def _values() -> dict[str, object]:
    return {"lease": uuid4(), "seconds": LEASE_SECONDS}


def let_go(order: Order, *, wait: float | None = None, give_up: bool = False) -> None:
    """Ends the lease. ``wait``: seconds until somebody tries again, growing with each attempt where it is not given.

    ``give_up``: the client was told to try again; if it does not, the order is rejected when the wait is over.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE orders_order SET lease_until = now(), attempts = attempts + 1, given_up = %(give_up)s,
                next_attempt = now() + make_interval(secs =>
                    coalesce(%(wait)s, least(10, 0.5 * 2 ^ least(attempts, 10)) * (0.5 + random() / 2)))
            WHERE id = %(id)s AND lease = %(lease)s
            """,
            {"id": order.pk, "lease": order.lease, "wait": wait, "give_up": give_up},
        )


def wait_for_rest(orders: QuerySet[Order]) -> None:
    """Who was told that an order is confirmed may come back before its cart is empty: waits for that, a moment."""
    leaving = orders.filter(state__in=[State.CONFIRMED, State.STOCK_COMMITTED], lease_until__gt=Now())
    ends = monotonic() + PATIENCE_SECONDS
    while leaving.exists() and monotonic() < ends:
        sleep(0.02)
