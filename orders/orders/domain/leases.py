"""Who works on an order: one at a time, for as long as a lease, fenced ever after."""

from time import monotonic, sleep
from uuid import UUID, uuid4

from chassis import deadline
from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Now

from orders.domain.transitions import LEASE_SECONDS
from orders.models import UNDER_WAY, WORK, Order, State

PATIENCE_SECONDS = 3.0
"""How long one waits for somebody who is at work on an order. It takes them a moment, or they are held up, or dead."""
_GLANCE_SECONDS = 0.02
CLIENT_SECONDS = 30
"""How long an order for which nothing was paid waits for its client, before it is rejected."""

# The condition of the partial index order_under_way, word for word, so that the planner can use it.
_STATES = ", ".join(f"'{state}'" for state in UNDER_WAY)
_WORK = f"(state IN ({_STATES}) OR (cancel_requested IS NOT NULL AND state = 'completed'))"
_TAKE = f"""
    UPDATE orders_order SET lease = %(lease)s, lease_until = now() + make_interval(secs => %(seconds)s)
    WHERE id = (
        SELECT id FROM orders_order WHERE lease_until <= now() AND {_WORK} AND {{which}} FOR UPDATE SKIP LOCKED
    ) RETURNING *
"""
_ONE = _TAKE.format(which="id = %(id)s")
_DUE = _TAKE.format(which="next_attempt <= now() ORDER BY next_attempt LIMIT 1")
_LET_GO = f"""
    UPDATE orders_order SET lease_until = now(), attempts = attempts + 1,
        next_attempt = now() + make_interval(secs =>
            CASE WHEN %(client)s AND state IN ('{State.PENDING}', '{State.RESERVED}') THEN {CLIENT_SECONDS}
            ELSE least(10, 0.5 * 2 ^ least(attempts, 10)) * (0.5 + random() / 2) END)
    WHERE id = %(id)s AND lease = %(lease)s RETURNING state
"""


def take(*, id: UUID) -> Order | None:
    """The order, leased to who asks for it, or None where it is at rest or somebody is at work on it."""
    if order := _taken(_ONE, id=id):
        order.given_up = False
    return order


def take_in_turn(*, id: UUID) -> Order | None:
    """As ``take``, after whoever is at work on the order; None where it is at rest, or they are held up."""
    ends = monotonic() + deadline.remaining(PATIENCE_SECONDS)
    while (order := take(id=id)) is None and monotonic() < ends and Order.objects.filter(WORK, pk=id).exists():
        sleep(_GLANCE_SECONDS)
    return order


def due() -> Order | None:
    """The order that has been waiting longest for somebody to go on with it, leased to the caller.

    One at a time: a lease is for a run that begins now.
    """
    return _taken(_DUE)


def _taken(statement: str, **values: object) -> Order | None:
    return next(iter(Order.objects.raw(statement, {"lease": uuid4(), "seconds": LEASE_SECONDS, **values})), None)


def let_go(order: Order, *, client: bool = False) -> str | None:
    """Ends the lease and returns the state that the order is in; None where somebody else has it.

    The wait until somebody tries again grows with each attempt. With ``client`` somebody is told to ask again: where
    nothing was paid yet, the order waits for that.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LET_GO, {"id": order.pk, "lease": order.lease, "client": client})
        row = cursor.fetchone()
    return row and row[0]


def wait_for_rest(orders: QuerySet[Order]) -> None:
    """Who was told that an order is confirmed may come back before its cart is empty: waits for that, a moment."""
    leaving = orders.filter(state__in=[State.CONFIRMED, State.STOCK_COMMITTED], lease_until__gt=Now())
    ends = monotonic() + deadline.remaining(PATIENCE_SECONDS)
    while leaving.exists() and monotonic() < ends:
        sleep(_GLANCE_SECONDS)
