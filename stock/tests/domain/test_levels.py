import pytest

from stock.domain import levels
from stock.models import Level, Movement
from tests.conftest import state_of

pytestmark = pytest.mark.django_db


def test_a_sku_comes_to_be_with_its_first_receipt():
    moved = levels.receive(sku="A", quantity=5, reason="first", actor="staff:1")
    assert state_of("A") == (5, 0)
    assert (moved.kind, moved.quantity, moved.reason, moved.actor) == ("receipt", 5, "first", "staff:1")


def test_adjusting_is_signed(shelf):
    shelf(A=5)
    levels.adjust(sku="A", quantity=-2, reason="broken", actor="t")
    levels.adjust(sku="A", quantity=1, reason="found", actor="t")
    assert state_of("A") == (4, 0)
    assert list(Movement.objects.order_by("id").values_list("quantity", flat=True)) == [5, -2, 1]


def test_what_is_reserved_cannot_be_adjusted_away(shelf, hold):
    shelf(A=5)
    hold(A=3)
    with pytest.raises(levels.BelowReserved) as refusal:
        levels.adjust(sku="A", quantity=-3, reason="theft", actor="t")
    assert refusal.value.extra == {"on_hand": 5, "reserved": 3}
    assert state_of("A") == (5, 3)
    assert Movement.objects.count() == 1


def test_nothing_can_be_taken_from_goods_that_never_came():
    with pytest.raises(levels.UnknownSku):
        levels.adjust(sku="A", quantity=-1, reason="?", actor="t")
    assert not Level.objects.exists()


def test_availability_is_what_is_on_hand_and_not_reserved(shelf, hold):
    shelf(A=5, B=1)
    hold(A=2)
    assert levels.available(sku="A") == {"sku": "A", "available": 3}
    assert levels.available_of(skus=["nope", "B", "A", "B"]) == [
        {"sku": "nope", "available": 0},
        {"sku": "B", "available": 1},
        {"sku": "A", "available": 3},
    ]


def test_an_import_is_received_once_however_often_it_runs(shelf):
    shelf(A=1)
    lines = {"A": 10, "B": 20}
    assert levels.receive_all(lines=lines, reference="file:1", actor="service:products") == 2
    assert levels.receive_all(lines=lines, reference="file:1", actor="service:products") == 0
    assert levels.receive_all(lines={"B": 20, "C": 3}, reference="file:1", actor="service:products") == 1
    assert [state_of(sku) for sku in "ABC"] == [(11, 0), (20, 0), (3, 0)]
    assert levels.receive_all(lines=lines, reference="file:2", actor="service:products") == 2
    assert [state_of(sku) for sku in "ABC"] == [(21, 0), (40, 0), (3, 0)]


@pytest.mark.parametrize("rows", [1, 3])
def test_reading_many_is_one_query(rows, shelf, django_assert_num_queries):
    shelf(**{f"S{n}": 1 for n in range(rows)})
    with django_assert_num_queries(1):
        levels.available_of(skus=[f"S{n}" for n in range(rows)])
