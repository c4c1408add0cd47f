"""How an order changes its state: one statement, fenced by the lease, with its event and what goes with it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from uuid import UUID

from chassis import prepared
from chassis.errors import DomainError
from django.db import connection
from psycopg2.extras import Json

from orders import metrics
from orders.models import UNDER_WAY, Order, State

LEGAL: dict[State, frozenset[State]] = {
    State.PENDING: frozenset({State.RESERVED, State.REJECTED, State.CANCELLING}),
    State.RESERVED: frozenset({State.PAYING, State.REJECTED, State.CANCELLING}),
    State.PAYING: frozenset({State.PAID, State.REJECTED, State.CANCELLING}),
    State.PAID: frozenset({State.CONFIRMED, State.REFUNDING}),
    State.CONFIRMED: frozenset({State.STOCK_COMMITTED, State.REFUNDING}),
    State.STOCK_COMMITTED: frozenset({State.COMPLETED}),
    State.COMPLETED: frozenset({State.SHIPPED, State.REFUNDING}),
    State.SHIPPED: frozenset({State.DELIVERED, State.REFUNDING}),
    State.DELIVERED: frozenset({State.REFUNDING}),
    State.CANCELLING: frozenset({State.CANCELLED}),
    State.REFUNDING: frozenset({State.REFUNDED}),
    State.REJECTED: frozenset(),
    State.CANCELLED: frozenset(),
    State.REFUNDED: frozenset(),
}
DEADLINE_SECONDS = 10.0
"""How long a run works on an order; after that it calls nobody any more."""
LEASE_SECONDS = 15
"""Longer than that: who holds a lease is at work, or dead."""


_COMPLETING = (State.STOCK_COMMITTED, State.COMPLETED)
_COMPLETE = f"""
    WITH ours AS (
        SELECT o.id, w.actor
        FROM orders_order o JOIN unnest(%(ids)s, %(leases)s, %(actors)s) AS w(id, lease, actor) USING (id, lease)
        WHERE o.state = '{State.CONFIRMED}' AND o.cancel_requested IS NULL ORDER BY o.id FOR UPDATE OF o
    ), moved AS (
        UPDATE orders_order o SET state = '{State.COMPLETED}', attempts = 0, next_attempt = now(), updated = now(),
            lease_until = now()
        FROM ours WHERE o.id = ours.id RETURNING o.id, ours.actor
    ), event AS (
        INSERT INTO orders_orderevent (order_id, event, actor, note)
        SELECT moved.id, went.event, moved.actor, ''
        FROM moved, unnest(ARRAY[{", ".join(f"'{state}'" for state in _COMPLETING)}]) WITH ORDINALITY AS went(event, nr)
        ORDER BY moved.id, went.nr
    )
    SELECT id FROM moved
"""


class InvalidTransition(DomainError):
    """The order's state does not allow this step."""

    code, title = "invalid_transition", "The order's state does not allow this"


class Fenced(Exception):
    """Somebody else has the order now, or it moved on: stop, and touch nothing."""


@dataclass
class Along:
    """What happens in the same transaction as an advance: common table expressions that may read ``moved``."""

    clauses: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)

    def add(self, clause: str, **values: Any) -> "Along":
        """Adds a clause and its values."""
        self.clauses.append(clause)
        self.values |= values
        return self

    def joined(self, other: "Along") -> "Along":
        """Adds what is in the other one."""
        self.clauses.extend(other.clauses)
        self.values |= other.values
        return self


def advance(
    order: Order, to: State, *, actor: str, note: str = "", along: Along | None = None, columns: Sequence[str] = ()
) -> None:
    """Moves the order on if its state and lease are still what we know, else raises ``Fenced``.

    ``columns`` of the instance are written as well; ``along`` happens in the same transaction, or not at all. The
    instance then says the new state, and whether somebody asked to cancel meanwhile.
    """
    if not _moved(order, [to], actor, note, along, columns):
        raise Fenced(f"order {order.pk} is not ours in {order.state}")


def advance_through(
    order: Order, *states: State, actor: str, along: Along | None = None, columns: Sequence[str] = ()
) -> bool:
    """Moves the order through several states at once, where nothing is to be done between them.

    False, and nothing is written, where it is not ours any more or somebody asked to cancel: one by one tells which.
    """
    return order.cancel_requested is None and _moved(order, states, actor, "", along, columns)


def complete_all(orders: Sequence[tuple[Order, str]]) -> set[UUID]:
    """Confirmed orders, each with who acts, become completed, where they are still ours; the ids of those that did.

    Not those that somebody asked to cancel meanwhile.
    """
    values = {
        "ids": [order.pk for order, _ in orders],
        "leases": [order.lease for order, _ in orders],
        "actors": [actor for _, actor in orders],
    }
    with connection.cursor() as cursor:
        prepared.execute(cursor, _COMPLETE, values)
        done = {row[0] for row in cursor.fetchall()}
    for order, _ in orders:
        if order.pk in done:
            order.state = State.COMPLETED
    for state in _COMPLETING:
        metrics.TRANSITIONS.labels(state).inc(len(done))
    return done


def _moved(
    order: Order, states: Sequence[State], actor: str, note: str, along: Along | None, columns: Sequence[str]
) -> bool:
    for was, to in pairwise([State(order.state), *states]):
        assert to in LEGAL[was], (was, to)
    along, to = along or Along(), states[-1]
    more = "".join(f", {column} = %(set_{column})s" for column in columns)
    statement = f"""
        WITH moved AS (
            UPDATE orders_order SET state = %(to)s, attempts = 0, next_attempt = now(), updated = now(),
                lease_until = now() + make_interval(secs => %(seconds)s){more}
            WHERE id = %(id)s AND state = %(was)s AND lease = %(lease)s
            {"AND cancel_requested IS NULL" if len(states) > 1 else ""} RETURNING id, cancel_requested
        ), event AS (
            INSERT INTO orders_orderevent (order_id, event, actor, note)
            SELECT id, event, %(actor)s, %(note)s FROM moved, unnest(%(states)s::text[]) AS event
        ){"".join(f", {clause}" for clause in along.clauses)}
        SELECT cancel_requested FROM moved
    """
    values = along.values | {f"set_{column}": _adapted(getattr(order, column)) for column in columns}
    seconds = LEASE_SECONDS if to in UNDER_WAY else 0
    values |= {"to": to, "was": order.state, "id": order.pk, "lease": order.lease, "seconds": seconds}
    values |= {"states": [str(state) for state in states], "actor": actor, "note": note[:300]}
    with connection.cursor() as cursor:
        prepared.execute(cursor, statement, values)
        row = cursor.fetchone()
    if row is None:
        return False
    order.state, order.cancel_requested = to, row[0]
    for state in states:
        metrics.TRANSITIONS.labels(state).inc()
    return True


def _adapted(value: Any) -> Any:
    return Json(value) if isinstance(value, dict) else value
