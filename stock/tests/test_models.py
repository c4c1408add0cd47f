"""Each constraint of the database, tried."""

from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import ProtectedError

from stock.models import Level, Movement, Reservation, ReservationLine

pytestmark = pytest.mark.django_db


def refused(constraint: str):
    return pytest.raises(DatabaseError, match=constraint)


@pytest.fixture
def level(db):
    return Level.objects.create(sku="A", on_hand=5, reserved=2)


@pytest.fixture
def reservation(db):
    return Reservation.objects.create(id=uuid4(), state="held", expires="2030-01-01T00:00Z")


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"reserved": -1}, "level_reserved_not_negative"),
        ({"reserved": 6}, "level_reserved_within_on_hand"),
        ({"on_hand": 1}, "level_reserved_within_on_hand"),
        ({"on_hand": -1}, "level_reserved_within_on_hand"),
    ],
)
def test_a_level_is_never_impossible(level, change, constraint):
    with refused(constraint), transaction.atomic():
        Level.objects.filter(pk="A").update(**change)
    level.refresh_from_db()
    assert (level.on_hand, level.reserved) == (5, 2)


@pytest.mark.parametrize(
    ("kind", "quantity", "with_reservation"),
    [
        ("receipt", 0, False),
        ("receipt", -1, False),
        ("receipt", 1, True),
        ("adjustment", 0, False),
        ("sale", 1, True),
        ("sale", -1, False),
        ("return", -1, True),
        ("return", 1, False),
        ("gift", 1, False),
    ],
)
def test_an_entry_fits_its_kind(level, reservation, kind, quantity, with_reservation):
    with refused("movement_kind_fits"), transaction.atomic():
        Movement.objects.create(
            level=level, kind=kind, quantity=quantity, actor="t", reservation=reservation if with_reservation else None
        )
    assert not Movement.objects.exists()


def test_a_reservation_is_sold_once(level, reservation):
    entry = {"level": level, "kind": "sale", "quantity": -1, "actor": "t", "reservation": reservation}
    Movement.objects.create(**entry)
    with refused("movement_once_per_reservation"), transaction.atomic():
        Movement.objects.create(**entry)


def test_a_reference_is_received_once(level):
    entry = {"level": level, "kind": "receipt", "quantity": 1, "actor": "t", "reference": "file"}
    Movement.objects.create(**entry)
    with refused("movement_once_per_reference"), transaction.atomic():
        Movement.objects.create(**entry)


@pytest.mark.parametrize("statement", ["UPDATE stock_movement SET quantity = 9", "DELETE FROM stock_movement"])
def test_the_ledger_is_append_only(level, statement):
    Movement.objects.create(level=level, kind="receipt", quantity=5, actor="t")
    with refused("append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert Movement.objects.get().quantity == 5


def test_a_line_has_a_quantity_and_stands_once(level, reservation):
    with refused("reservation_line_quantity_positive"), transaction.atomic():
        ReservationLine.objects.create(reservation=reservation, level=level, quantity=0)
    ReservationLine.objects.create(reservation=reservation, level=level, quantity=1)
    with refused("reservation_line_once_per_sku"), transaction.atomic():
        ReservationLine.objects.create(reservation=reservation, level=level, quantity=1)


def test_a_line_is_of_goods_that_exist(reservation):
    with pytest.raises(IntegrityError), transaction.atomic():
        ReservationLine.objects.create(reservation=reservation, level_id="nope", quantity=1)
        connection.check_constraints()


def test_a_state_is_one_we_know():
    with refused("reservation_state_known"), transaction.atomic():
        Reservation.objects.create(id=uuid4(), state="lost", expires="2030-01-01T00:00Z")


def test_goods_with_a_history_cannot_be_deleted(level):
    Movement.objects.create(level=level, kind="receipt", quantity=5, actor="t")
    with pytest.raises(ProtectedError):
        level.delete()
