"""What orders counts, and what its worker measures."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from prometheus_client import REGISTRY

from orders.metrics import MEASURES
from orders.models import Order, State

pytestmark = pytest.mark.django_db


def counted(name, **labels):
    return REGISTRY.get_sample_value(name, labels) or 0


def measured():
    return {(measure.name, *labels): value for measure in MEASURES for labels, value in measure.read().items()}


def let_pass(**interval):
    with connection.cursor() as cursor:
        for table, column in (("orders_order", "updated"), ("orders_mail", "created")):
            cursor.execute(f"UPDATE {table} SET {column} = {column} - make_interval(mins => %s)", [interval["minutes"]])


def test_revenue_is_counted_once_and_only_when_it_is_confirmed(shop, buy):
    name, currency = "orders_revenue_minor_units_total", {"currency": "USD"}
    before = counted(name, **currency)
    cart = shop.cart(A=2, B=1)
    assert buy(cart, key="one").status_code == 201
    assert buy(cart, key="one").headers["Idempotent-Replayed"] == "true"
    assert buy(shop.cart(A=1), token="tok_declined").status_code == 402
    assert counted(name, **currency) == before + 600


def test_each_step_is_timed_by_how_it_ended(shop, buy):
    def steps(step, outcome):
        return counted("orders_checkout_step_seconds_count", step=step, outcome=outcome)

    kinds = [("pending", "done"), ("paying", "done"), ("confirmed", "done"), ("paying", "refused")]
    kinds += [("pending", "unavailable")]
    before = {kind: steps(*kind) for kind in kinds}
    assert buy(shop.cart(A=1)).status_code == 201
    assert buy(shop.cart(A=1), token="tok_declined").status_code == 402
    shop.down.add("stock")
    assert buy(shop.cart(A=1)).status_code == 503
    assert [steps(*kind) - before[kind] for kind in kinds] == [2, 1, 1, 1, 1]


def test_every_counter_has_its_series_before_the_first_event():
    names = {(sample.name, *sample.labels.values()) for family in REGISTRY.collect() for sample in family.samples}
    assert {("orders_transitions_total", state) for state in State} <= names
    assert ("orders_revenue_minor_units_total", "USD") in names
    assert ("orders_refusals_total", "insufficient_stock") in names
    assert {("orders_mails_total", "sent"), ("orders_mails_total", "failed")} <= names


def test_the_worker_s_lag_is_how_long_the_oldest_order_waits(shop, buy):
    quiet = measured()
    assert {value for (name, *_), value in quiet.items() if name != "outbox_mails"} == {0}
    assert buy(shop.cart(A=1)).status_code == 201
    shop.down.add("stock")
    assert buy(shop.cart(A=1)).status_code == 503
    let_pass(minutes=10)
    waiting = measured()
    assert (waiting["orders_under_way", "pending"], waiting["orders_under_way", "completed"]) == (1, 0)
    assert 590 <= waiting["orders_oldest_under_way_seconds",] < 630
    assert waiting["orders_stuck",] == 0
    assert (waiting["outbox_mails",], 590 <= waiting["outbox_lag_seconds",] < 630) == (1, True)
    let_pass(minutes=6)
    assert measured()["orders_stuck",] == 1
    Order.objects.update(state=State.REJECTED)
    assert measured()["orders_oldest_under_way_seconds",] == 0


def test_a_cancellation_waits_since_it_was_asked_for_however_old_the_order_is(shop, buy):
    assert buy(shop.cart(A=1)).status_code == 201
    let_pass(minutes=6000)
    Order.objects.update(cancel_requested=F("updated") + timedelta(minutes=6000))
    found = measured()
    assert (found["orders_under_way", "completed"], found["orders_stuck",]) == (1, 0)
    assert abs(found["orders_oldest_under_way_seconds",]) < 30


def test_measures_of_orders_use_the_index_of_what_is_under_way(shop, buy):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for measure in MEASURES[:3]:
            statement = measure.read.__closure__[0].cell_contents
            cursor.execute(f"EXPLAIN {statement}")
            assert "order_under_way" in str(cursor.fetchall()), measure.name
