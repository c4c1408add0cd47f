"""Goods set aside for an order: reserve, commit, release, return, expire.

Each change that goes the usual way is one round trip, and what it leaves is read by another; an expired reservation
takes a short transaction. The locking rule: a reservation's row first (of several: in the order of their ids), then
levels in SKU order; an ``INSERT`` of an id waits for whoever changes its row, so that ``reserve`` too makes its row
before it locks a level. Every call may be repeated.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from chassis import faults, prepared
from chassis.errors import DomainError, NotFound
from django.db import connection, transaction

from stock import metrics
from stock.domain import statements
from stock.models import Reservation

State = Reservation.State


class UnknownReservation(NotFound):
    """There is no reservation with this id."""

    code, title = "reservation_not_found", "There is no such reservation"


class InsufficientStock(DomainError):
    """Not all of it is there; nothing was reserved. ``lines`` names each short SKU with what is available."""

    code, title = "insufficient_stock", "There is not enough in stock"

    def __init__(self, short: list[dict[str, Any]]) -> None:
        named = "; ".join(
            f"{line['sku']}: {line['available']} available, {line['quantity']} asked for" for line in short
        )
        super().__init__(f"Not enough in stock: {named}.", lines=short)


class OtherLines(DomainError):
    """The id is taken by a reservation of other goods."""

    code, title = "reservation_conflict", "This reservation holds other lines"


class Released(DomainError):
    """The reservation was given up; this id is spent."""

    status, code, title = 410, "reservation_released", "This reservation was released"


class NotCommitted(DomainError):
    """Only what was committed can be returned."""

    code, title = "reservation_not_committed", "This reservation was not committed"


class Committed(DomainError):
    """The goods are sold: return them instead."""

    code, title = "reservation_committed", "This reservation is committed"


@dataclass(frozen=True)
class Held:
    """A reservation as it stands: ``expires_in`` in seconds, ``lines`` as quantities by SKU."""

    id: UUID
    state: str
    expires_in: int
    lines: Mapping[str, int]
    created: bool = False
    """Whether this call made it."""


def reserve(*, id: UUID, lines: Mapping[str, int], ttl: int) -> Held:
    """Sets aside ``lines`` (quantities by SKU) for ``ttl`` seconds, all or nothing; the same lines again renew.

    Raises ``InsufficientStock``, ``OtherLines``, or ``Released`` when the id was released before.
    """
    while True:
        made, known, short = _take(id=id, lines=lines, ttl=ttl)
        if made:
            metrics.RESERVATIONS.labels("held").inc()
            return Held(id=id, state=State.HELD, expires_in=ttl, lines=lines, created=True)
        if known:
            return _renew(id=id, lines=lines, ttl=ttl)
        if short:  # else the goods came in between the two looks
            metrics.RESERVATIONS.labels("short").inc()
            raise InsufficientStock(short)


def commit(*, id: UUID) -> Held:
    """Sells what is held: it leaves the shelf and the ledger says so. One that expired is taken anew, if it can be.

    Raises ``UnknownReservation``, ``Released``, or ``InsufficientStock`` when it expired and the goods are gone.
    """
    faults.point("stock.committing")
    if held := _moved(statements.COMMIT_HELD, id, State.COMMITTED) or _commit_unheld(id):
        metrics.RESERVATIONS.labels("committed").inc()
    faults.point("stock.committed")
    # Whatever the next call made of it by now: this one found it committed.
    return held or replace(get(id=id), state=State.COMMITTED)


def commit_all(*, ids: Sequence[UUID]) -> list[UUID]:
    """Sells what is held under these ids, in one transaction; returns those that were sold by this call.

    The others are as they were: sold before, or for a reason that ``commit`` tells, called for each by itself.
    """
    faults.point("stock.committing")
    sold = [held.id for held in _moved_all(statements.COMMIT_HELD, ids, State.COMMITTED)]
    metrics.RESERVATIONS.labels("committed").inc(len(sold))
    faults.point("stock.committed")
    return sold


def release(*, id: UUID) -> Held:
    """Gives back what is held. An unknown id is remembered as released, so that a late ``reserve`` finds it spent.

    Raises ``Committed``: what is sold is returned, not released.
    """
    changed = _changed(statements.RELEASE, id)
    held = get(id=id)
    while held.state == State.HELD:  # it came to be while the statement waited for the same id
        changed, held = _changed(statements.RELEASE, id), get(id=id)
    if changed:
        metrics.RESERVATIONS.labels("released").inc()
    if held.state == State.COMMITTED:
        raise Committed("The goods are sold. Use return instead.")
    return held


def give_back(*, id: UUID) -> Held:
    """Puts sold goods back on the shelf, with a ledger entry. Raises ``UnknownReservation`` or ``NotCommitted``."""
    if held := _moved(statements.RETURN, id, State.RETURNED):
        metrics.RESERVATIONS.labels("returned").inc()
        return held
    held = get(id=id)
    if held.state != State.RETURNED:
        raise NotCommitted(f"The reservation is {held.state}; only a committed one can be returned.")
    return held


def expire(*, batch: int = 200) -> int:
    """Frees what was held beyond its time, oldest first, at most ``batch`` reservations; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(statements.EXPIRE, {"batch": batch})
        count = int(cursor.fetchone()[0])
    metrics.RESERVATIONS.labels("expired").inc(count)
    return count


def get(*, id: UUID) -> Held:
    """The reservation as it stands. Raises ``UnknownReservation``."""
    with connection.cursor() as cursor:
        prepared.execute(cursor, statements.READ, {"id": id})
        row = cursor.fetchone()
    if row is None:
        raise UnknownReservation(f"There is no reservation {id}.")
    state, expires_in, lines = row
    return Held(id=id, state=state, expires_in=expires_in, lines=lines)


def _take(*, id: UUID, lines: Mapping[str, int], ttl: int) -> tuple[bool, bool, list[dict[str, Any]]]:
    """Whether it was made, whether it had been made before, and the lines that are short."""
    with connection.cursor() as cursor:
        prepared.execute(cursor, statements.RESERVE, {"id": id, "ttl": ttl, **_columns(lines)})
        made, known, short = cursor.fetchone()
    return made, known, short or []


def _renew(*, id: UUID, lines: Mapping[str, int], ttl: int) -> Held:
    with transaction.atomic():
        state = _lock(id)
        if state in (State.RELEASED, State.RETURNED):
            raise Released("This reservation was given up; use a new id.")
        held = get(id=id)
        if dict(held.lines) != dict(lines):
            raise OtherLines("The id is in use for other lines; use a new one.")
        if state == State.EXPIRED:
            _retake(id)
        if state != State.COMMITTED:
            with connection.cursor() as cursor:
                cursor.execute(statements.RENEW, {"id": id, "ttl": ttl})
            metrics.RESERVATIONS.labels("renewed").inc()
        return get(id=id)


def _commit_unheld(id: UUID) -> Held | None:
    """The rarer ends of a commit: expired, released, or unknown; None where it was done before."""
    with transaction.atomic():
        state = _lock(id)
        if state in (State.RELEASED, State.RETURNED):
            raise Released("This reservation was given up.")
        if state == State.EXPIRED:
            _retake(id)
        return _moved(statements.COMMIT_HELD, id, State.COMMITTED)


def _lock(id: UUID) -> str:
    """The state of a reservation, its row locked. An unknown one is refused at once: a tombstone may come to be."""
    state = Reservation.objects.select_for_update().filter(pk=id).values_list("state", flat=True).first()
    if state is None:
        raise UnknownReservation(f"There is no reservation {id}.")
    return str(state)


def _retake(id: UUID) -> None:
    """Reserves the lines of an expired reservation anew, its row being locked. Raises ``InsufficientStock``."""
    with connection.cursor() as cursor:
        cursor.execute(statements.RETAKE, {"id": id})
        short = cursor.fetchone()[0]
    if short:
        metrics.RESERVATIONS.labels("short").inc()
        raise InsufficientStock(short)


def _moved(statement: str, id: UUID, to: State) -> Held | None:
    return next(iter(_moved_all(statement, [id], to)), None)


def _moved_all(statement: str, ids: Sequence[UUID], to: State) -> list[Held]:
    with connection.cursor() as cursor:
        prepared.execute(cursor, statement, {"ids": list(ids)})
        rows = cursor.fetchall()
    return [Held(id=id, state=to, expires_in=expires_in, lines=lines) for id, expires_in, lines in rows]


def _changed(statement: str, id: UUID) -> bool:
    with connection.cursor() as cursor:
        prepared.execute(cursor, statement, {"id": id})
        return bool(cursor.fetchone()[0])


def _columns(lines: Mapping[str, int]) -> dict[str, list[Any]]:
    return {"skus": list(lines), "quantities": list(lines.values())}
