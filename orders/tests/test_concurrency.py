"""Real threads: one order per key and per cart, and exactly what is there is sold."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from time import monotonic, sleep
from uuid import uuid4

import pytest
from chassis.testing.client import ApiClient
from django.db import connection
from django.db.models.functions import Now

from orders.domain import completion, leases
from orders.domain.documents import access_token
from orders.models import Order, OrderEvent, Payment
from tests.conftest import ADDRESS

pytestmark = pytest.mark.django_db(transaction=True)


def post(cart: str, key: str):
    try:
        body = {
            "cart": cart,
            "email": "ada@example.com",
            "shipping_address": ADDRESS,
            "payment": {"method": "test", "token": "tok_ok"},
        }
        return ApiClient().post("/api/v1/orders", body, {"Idempotency-Key": key})
    finally:
        connection.close()


def cancel(order):
    try:
        return ApiClient().post(f"/api/v1/orders/{order['id']}/cancel?access_token={order['access_token']}")
    finally:
        connection.close()


def at_once(calls):
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda call: call(), calls))


def test_one_key_five_times_at_once_is_one_order(shop):
    cart = shop.cart(A=1)
    answers = at_once([lambda: post(cart, "k")] * 5)
    codes = {answer.status_code for answer in answers}
    assert 201 in codes
    assert codes <= {201, 409}
    assert {a.json()["code"] for a in answers if a.status_code == 409} <= {"idempotency_in_progress"}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert (Order.objects.count(), Payment.objects.count(), shop.available["A"]) == (1, 1, 9)


def test_two_tabs_with_two_keys_and_one_cart_are_one_order(shop):
    cart = shop.cart(A=1)
    answers = at_once([lambda key=key: post(cart, key) for key in ("one", "two")])
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    refused = next(answer for answer in answers if answer.status_code == 409)
    # Which one depends on how far the first was: at work, done since the second read the cart, or done before.
    assert refused.json()["code"] in ("checkout_in_progress", "cart_already_ordered", "cart_empty")
    assert shop.available["A"] == 9


@pytest.fixture
def leaving(shop):
    """A cart whose order is confirmed, its lines about to leave; more was put in meanwhile."""
    cart = shop.cart(A=1)
    assert post(cart, "first").status_code == 201
    Order.objects.update(state="stock_committed", lease_until=Now() + timedelta(seconds=15))
    shop.carts[cart]["lines"] = {"B": 1}
    return cart


def test_who_was_told_that_it_is_confirmed_may_order_again(leaving, monkeypatch):
    monkeypatch.setattr(leases, "sleep", lambda _: Order.objects.update(state="completed"))
    assert post(leaving, "second").status_code == 201
    assert Order.objects.count() == 2


def test_who_was_told_that_it_is_confirmed_may_cancel_at_once(leaving, monkeypatch):
    order = Order.objects.get()
    monkeypatch.setattr(leases, "sleep", lambda _: Order.objects.update(state="completed", lease_until=Now()))
    answer = ApiClient().post(f"/api/v1/orders/{order.pk}/cancel?access_token={access_token(order.pk)}")
    assert (answer.status_code, answer.json()["status"]) == (200, "refunded")


def test_who_cancels_waits_for_whoever_is_at_work_on_it(shop):
    """The worker may take the order in the moment in which it is to be cancelled: that is no reason for a 202."""
    working = Event()

    def work():
        try:
            while not working.is_set():
                completion.go_on()
        finally:
            connection.close()

    orders = [post(shop.cart(A=1), uuid4().hex).json() for _ in range(8)]
    with ThreadPoolExecutor(2) as workers:
        done = [workers.submit(work) for _ in range(2)]
        try:
            answers = at_once([lambda order=order: cancel(order) for order in orders for _ in range(4)])
        finally:
            working.set()
    for worker in done:
        worker.result()
    assert {(answer.status_code, answer.json()["status"]) for answer in answers} == {(200, "refunded")}
    assert (shop.available["A"], shop.held()) == (10, 0)


def test_an_order_that_is_held_up_keeps_its_cart(leaving, monkeypatch):
    monkeypatch.setattr(leases, "PATIENCE_SECONDS", 0.05)
    answer = post(leaving, "second")
    assert (answer.status_code, answer.json()["code"]) == (409, "checkout_in_progress")
    assert Order.objects.count() == 1


def test_thirty_buyers_for_ten_units(shop):
    carts = [shop.cart(A=1) for _ in range(30)]
    answers = at_once([lambda cart=cart: post(cart, uuid4().hex) for cart in carts])
    assert sorted(answer.status_code for answer in answers) == [201] * 10 + [409] * 20
    assert (shop.available["A"], Payment.objects.filter(state="paid").count()) == (0, 10)


def test_in_a_crowd_orders_come_to_rest_together_and_each_once(shop):
    shop.fill(quantity=100, A=250)
    carts = [shop.cart(A=1) for _ in range(40)]
    answers = at_once([lambda cart=cart: post(cart, uuid4().hex) for cart in carts])
    assert {answer.status_code for answer in answers} == {201}
    deadline = monotonic() + 10
    while Order.objects.exclude(state="completed").exists() and monotonic() < deadline:
        sleep(0.01)
    assert set(Order.objects.values_list("state", flat=True)) == {"completed"}
    assert (shop.available["A"], shop.held(), len(shop.consumed)) == (60, 0, 40)
    assert shop.calls.count("consume_all") < 40, "rounds of more than one"
    assert shop.calls.count("commit") == 0
    assert OrderEvent.objects.filter(event="completed").count() == 40


def test_a_worker_leases_what_it_goes_on_with_and_nothing_else(shop):
    """A lease is over before a queue of slow orders is: who comes back to one further down finds nobody at work."""
    shop.down = {"commit"}
    for _ in range(3):
        post(shop.cart(B=1), uuid4().hex)
    first, second, third = Order.objects.order_by("number")
    for order, day in ((first, 3), (second, 1), (third, 2)):
        Order.objects.filter(pk=order.pk).update(next_attempt=f"2020-01-0{day}T00:00Z")
    assert [leases.due() for _ in range(4)] == [second, third, first, None]
    Order.objects.update(lease_until="2020-01-01T00:00Z")
    assert leases.due() == second
    assert leases.take(id=first.pk) == first


def test_two_workers_never_go_on_with_one_order(shop):
    shop.down = {"commit"}
    for _ in range(10):
        post(shop.cart(B=1), uuid4().hex)
    shop.down = set()
    Order.objects.update(next_attempt="2020-01-01T00:00Z")

    def work():
        try:
            return completion.go_on(batch=3)
        finally:
            connection.close()

    assert sum(at_once([work] * 8)) == 10
    assert set(Order.objects.values_list("state", flat=True)) == {"completed"}
    assert shop.calls.count("commit") == 10


def test_who_lost_the_lease_writes_nothing(shop):
    """Stopped for longer than a lease, then going on: the other one's work stands."""
    shop.down = {"commit"}
    post(shop.cart(A=1), "k")
    shop.down = set()
    Order.objects.update(next_attempt="2020-01-01T00:00Z")
    stopped = leases.due()
    Order.objects.update(lease_until="2020-01-01T00:00Z")
    completion.resume(id=stopped.pk)
    assert Order.objects.get().state == "completed"
    from orders.domain.saga import Run
    from orders.domain.transitions import Fenced

    with pytest.raises(Fenced):
        Run(order=stopped).go_on()
    assert Order.objects.get().state == "completed"
