"""The standing audit, and what else the worker measures."""

import pytest
from django.db.models import F
from prometheus_client import REGISTRY

from stock.domain import audit, reservations
from stock.metrics import MEASURES
from stock.models import Level, Reservation

pytestmark = pytest.mark.django_db


def drift(rounds=1, of=None):
    found = of or audit.Audit()
    for _ in range(rounds):
        assert found.go_on() == 0
    return REGISTRY.get_sample_value("stock_ledger_drift_skus")


def measured():
    return {(measure.name, *labels): value for measure in MEASURES for labels, value in measure.read().items()}


def test_levels_that_the_ledger_and_the_reservations_explain_are_no_drift(shelf, hold):
    shelf(A=5, B=2, C=1)
    held = hold(A=2, B=1)
    hold(A=1)
    assert drift() == 0
    reservations.commit(id=held.id)
    assert drift() == 0


@pytest.mark.parametrize("wrong", [{"on_hand": F("on_hand") + 1}, {"reserved": F("reserved") - 1}])
def test_a_level_that_nothing_explains_is_drift_until_it_is_mended(shelf, hold, wrong):
    shelf(A=5, B=2)
    hold(A=2, B=1)
    before = Level.objects.values("on_hand", "reserved").get(sku="A")
    Level.objects.filter(sku="A").update(**wrong)
    watched = audit.Audit()
    assert drift(of=watched) == 1
    assert drift(of=watched) == 1
    Level.objects.filter(sku="A").update(**before)
    assert drift(of=watched) == 0


def test_it_goes_round_all_levels_some_at_a_time(shelf):
    shelf(A=1, B=1, C=1, D=1, E=1)
    Level.objects.filter(sku__in=["A", "E"]).update(on_hand=9)
    watched = audit.Audit(size=2)
    counted = REGISTRY.get_sample_value("stock_ledger_audited_levels_total")
    assert [drift(of=watched) for _ in range(4)] == [1, 1, 2, 2]
    assert REGISTRY.get_sample_value("stock_ledger_audited_levels_total") == counted + 7


def test_the_worker_measures_what_is_held_low_and_sold_out(shelf, hold):
    shelf(A=5, B=2, C=3)
    Level.objects.filter(sku="A").update(reorder_point=4)
    Level.objects.filter(sku="B").update(reorder_point=2)
    for lines in ({"A": 1}, {"B": 2}):
        reservations.commit(id=hold(**lines).id)
    hold(A=1)
    found = measured()
    assert found["stock_reservations_held",] == 1
    assert found["stock_reservations_overdue_seconds",] == 0
    assert (found["stock_levels_below_reorder_point",], found["stock_levels_out_of_stock",]) == (2, 1)
    best = {labels[0]: value for (name, *labels), value in found.items() if name == "stock_best_seller_available"}
    assert best == {"A": 3, "B": 0}


def test_a_reservation_beyond_its_time_is_the_worker_s_lag(shelf, hold):
    shelf(A=5)
    hold(A=1)
    Reservation.objects.update(expires="2020-01-01T00:00Z")
    assert measured()["stock_reservations_overdue_seconds",] > 1e8
    reservations.expire()
    assert measured()["stock_reservations_overdue_seconds",] == 0
