"""Confirmed orders that come to rest together."""

from uuid import uuid4

import psycopg2
import pytest
from django.db import connection

from orders.domain import checkout, completion
from orders.models import Order, OrderEvent

pytestmark = pytest.mark.django_db
WAY = ["pending", "reserved", "paying", "paid", "confirmed", "stock_committed", "completed"]


@pytest.fixture
def confirmed(shop, buy, monkeypatch):
    """``confirmed(3)``: so many orders of two A that were answered in a crowd; their runs."""

    def place(count):
        runs = []
        with checkout._CROWD, monkeypatch.context() as patch:
            patch.setattr(checkout.COMPLETIONS, "add", runs.append)
            for _ in range(count):
                assert buy(shop.cart(A=2)).status_code == 201
        shop.calls.clear()
        return runs

    return place


def states():
    return list(Order.objects.order_by("number").values_list("state", flat=True))


def later():
    """The worker's turn, when every wait is over."""
    Order.objects.update(next_attempt="2020-01-01T00:00Z", lease_until="2020-01-01T00:00Z")
    completion.go_on()


def test_in_a_crowd_the_answer_is_out_before_the_goods_are(shop, confirmed):
    confirmed(2)
    assert (states(), shop.held()) == (["confirmed"] * 2, 4)


def test_a_round_is_one_call_of_each_service_and_one_statement(shop, confirmed, django_assert_num_queries):
    runs = confirmed(3)
    with django_assert_num_queries(1):
        completion.complete(runs)
    assert (states(), shop.calls) == (["completed"] * 3, ["commit_all", "consume_all"])
    assert (shop.held(), shop.available["A"]) == (0, 4)
    assert all(cart["lines"] == {} for cart in shop.carts.values())
    for run in runs:
        events = OrderEvent.objects.filter(order=run.order).order_by("id")
        assert list(events.values_list("event", "actor")) == [(event, "guest") for event in WAY]


def test_one_that_was_cancelled_meanwhile_goes_by_itself(shop, confirmed, charges):
    runs = confirmed(3)
    Order.objects.filter(pk=runs[1].order.pk).update(cancel_requested="2020-01-01T00:00Z")
    completion.complete(runs)
    assert states() == ["completed", "refunded", "completed"]
    assert (shop.available["A"], charges.find(str(runs[1].order.pk))["state"]) == (6, "refunded")


def test_one_whose_goods_are_gone_is_refunded_and_takes_no_other_one_along(shop, confirmed):
    runs = confirmed(3)
    shop.expire(str(runs[0].order.pk))
    shop.available["A"] = 0
    completion.complete(runs)
    assert states() == ["refunded", "completed", "completed"]


def test_one_whose_time_was_over_is_taken_anew(shop, confirmed):
    runs = confirmed(2)
    shop.expire(str(runs[0].order.pk))
    completion.complete(runs)
    assert (states(), shop.available["A"]) == (["completed"] * 2, 6)


def test_one_that_is_somebody_else_s_by_now_is_left_to_them(shop, confirmed):
    runs = confirmed(2)
    Order.objects.filter(pk=runs[0].order.pk).update(lease=uuid4())
    completion.complete(runs)
    assert states() == ["confirmed", "completed"]
    later()
    assert (states(), shop.available["A"]) == (["completed"] * 2, 6)


@pytest.mark.parametrize("down", ["commit", "consume"])
def test_where_a_service_does_not_answer_the_worker_goes_on(shop, confirmed, down):
    runs = confirmed(3)
    shop.down = {down}
    completion.complete(runs)
    assert states() == ["confirmed"] * 3
    assert not Order.objects.filter(attempts=0).exists(), "each is let go, and waits a little"
    shop.down = set()
    later()
    assert (states(), shop.available["A"], shop.held()) == (["completed"] * 3, 4, 0)
    assert all(cart["lines"] == {} for cart in shop.carts.values())


@pytest.mark.parametrize("lost", ["/reservations/commit", "/carts/consume"])
def test_an_answer_that_is_lost_is_got_by_asking_again(shop, confirmed, lost):
    runs = confirmed(2)
    shop.lose[lost] = 1
    completion.complete(runs)
    assert (states(), shop.available["A"], shop.held()) == (["completed"] * 2, 6, 0)


def test_what_nobody_foresaw_lets_go_of_all_of_them(confirmed, monkeypatch):
    def fails(orders):
        raise RuntimeError("no")

    runs = confirmed(2)
    with monkeypatch.context() as patch:
        patch.setattr(completion, "complete_all", fails)
        with pytest.raises(RuntimeError):
            completion.complete(runs)
    assert not Order.objects.filter(attempts=0).exists()
    later()
    assert states() == ["completed"] * 2


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_broke_between_two_rounds_is_replaced(confirmed):
    first, second = confirmed(2)
    mine = connection.connection.info.backend_pid
    with psycopg2.connect(connection.connection.dsn, password=connection.settings_dict["PASSWORD"]) as other:
        other.cursor().execute("SELECT pg_terminate_backend(%s, 5000)", [mine])
    other.close()
    completion.COMPLETIONS.add(first)
    assert Order.objects.get(pk=first.order.pk).attempts == 1, "let go, over a new connection"
    completion.COMPLETIONS.add(second)
    later()
    assert states() == ["completed"] * 2
