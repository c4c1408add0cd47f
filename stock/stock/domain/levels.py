"""What is there: receive, adjust, and look."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from chassis import prepared
from chassis.errors import DomainError, NotFound
from django.db import connection, transaction

from stock import metrics
from stock.models import Level, Movement


class UnknownSku(NotFound):
    """No goods with this SKU ever came in."""

    code, title = "sku_not_found", "There is no such SKU"


class BelowReserved(DomainError):
    """The adjustment would take away what is promised to somebody."""

    code, title = "below_reserved", "Less would be left than is reserved"


class Available(TypedDict):
    """What can be sold of a SKU, in units."""

    sku: str
    available: int


_NEW_LEVELS = """
    INSERT INTO stock_level (sku, on_hand, reserved)
    SELECT sku, 0, 0 FROM unnest(%(skus)s::text[]) AS w(sku) ORDER BY sku COLLATE "C" ON CONFLICT DO NOTHING
"""
_RECEIVE_ALL = """
    WITH locked AS (
        SELECT v.sku, w.quantity FROM stock_level v
        JOIN unnest(%(skus)s::text[], %(quantities)s::bigint[]) AS w(sku, quantity) ON w.sku = v.sku
        ORDER BY v.sku FOR UPDATE OF v
    ), entries AS (
        INSERT INTO stock_movement (sku, kind, quantity, reason, actor, reference)
        SELECT sku, 'receipt', quantity, 'import', %(actor)s, %(reference)s FROM locked
        ON CONFLICT (sku, reference) DO NOTHING RETURNING sku, quantity
    ), changed AS (
        UPDATE stock_level v SET on_hand = v.on_hand + e.quantity, updated = now() FROM entries e WHERE v.sku = e.sku
    )
    SELECT count(*) FROM entries
"""
_AVAILABLE = "SELECT sku, on_hand - reserved FROM stock_level WHERE sku = ANY(%(skus)s)"
_ADD = """
    UPDATE stock_level SET on_hand = on_hand + %s, updated = now()
    WHERE sku = %s AND on_hand + %s >= reserved RETURNING on_hand, reserved
"""


def available(*, sku: str) -> Available:
    """What can be sold of one SKU. Raises ``UnknownSku``."""
    found = _available([sku])
    if sku not in found:
        raise UnknownSku(f"There is no SKU {sku}.")
    return {"sku": sku, "available": found[sku]}


def available_of(*, skus: Sequence[str]) -> list[Available]:
    """What can be sold of each SKU, in the order asked; 0 for one that nobody knows."""
    wanted = list(dict.fromkeys(skus))
    found = _available(wanted)
    return [{"sku": sku, "available": found.get(sku, 0)} for sku in wanted]


def _available(skus: list[str]) -> dict[str, int]:
    with connection.cursor() as cursor:
        prepared.execute(cursor, _AVAILABLE, {"skus": skus})
        return dict(cursor.fetchall())


def receive(*, sku: str, quantity: int, reason: str, actor: str) -> Movement:
    """Takes in ``quantity`` > 0 units; the SKU comes to be with its first movement."""
    with transaction.atomic():
        Level.objects.bulk_create([Level(sku=sku)], ignore_conflicts=True)
        return _move(sku=sku, kind=Movement.Kind.RECEIPT, quantity=quantity, reason=reason, actor=actor)


def adjust(*, sku: str, quantity: int, reason: str, actor: str) -> Movement:
    """Corrects what is on hand by a signed, non-zero number of units (a count, breakage, theft).

    Raises ``BelowReserved`` where less would be left than is reserved, and ``UnknownSku`` for taking from nothing.
    """
    with transaction.atomic():
        if quantity > 0:
            Level.objects.bulk_create([Level(sku=sku)], ignore_conflicts=True)
        return _move(sku=sku, kind=Movement.Kind.ADJUSTMENT, quantity=quantity, reason=reason, actor=actor)


def receive_all(*, lines: Mapping[str, int], reference: str, actor: str) -> int:
    """Takes in many SKUs at once, each at most once under ``reference``; returns how many were taken in now.

    Repeating the call with the same reference changes nothing: that is what makes an import safe to run again.
    """
    parameters: dict[str, Any] = {
        "skus": list(lines),
        "quantities": list(lines.values()),
        "reference": reference,
        "actor": actor,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_NEW_LEVELS, parameters)
        cursor.execute(_RECEIVE_ALL, parameters)
        count = int(cursor.fetchone()[0])
    metrics.MOVEMENTS.labels(Movement.Kind.RECEIPT).inc(count)
    return count


def _move(*, sku: str, kind: str, quantity: int, reason: str, actor: str) -> Movement:
    while not _added(sku, quantity):
        level = Level.objects.filter(pk=sku).first()
        if level is None:
            raise UnknownSku(f"There is no SKU {sku}.")
        if level.on_hand + quantity < level.reserved:
            raise BelowReserved(
                f"{level.reserved} of {sku} are reserved and {level.on_hand} on hand: {quantity:+} is too much.",
                on_hand=level.on_hand,
                reserved=level.reserved,
            )
        # It came to be, or became enough, between the two statements: then it is done after all.
    movement = Movement.objects.create(level_id=sku, kind=kind, quantity=quantity, reason=reason, actor=actor)
    metrics.MOVEMENTS.labels(kind).inc()
    return movement


def _added(sku: str, quantity: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_ADD, [quantity, sku, quantity])
        return cursor.fetchone() is not None
