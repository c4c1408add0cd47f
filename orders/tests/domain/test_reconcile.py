"""After a restore: what stock, cart and the provider know is older or newer than the order."""

from io import StringIO
from uuid import UUID, uuid4

import psycopg2
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from orders.domain import lifecycle
from orders.domain.reconcile import reconcile
from orders.models import Order, State

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(shop, buy):
    """A completed order of two A, all of it true."""
    assert buy(shop.cart(A=2)).status_code == 201
    return Order.objects.get()


@pytest.fixture
def forget_charge(charges):
    def forget(order):
        with psycopg2.connect(charges._url) as database, database.cursor() as cursor:
            cursor.execute("DELETE FROM charge WHERE key = %s", [str(order.pk)])
            assert cursor.rowcount == 1
        database.close()

    return forget


def forget_goods(shop, order):
    """Stock is older than the order."""
    shop.available["A"] += shop.reservations.pop(str(order.pk))["lines"]["A"]


def rewind(order, state, *events):
    """The orders' database is older than the others: the order is where it was."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("DELETE FROM orders_orderevent WHERE order_id = %s", [order.pk])
        cursor.execute("SET LOCAL session_replication_role = origin")
    order.mail_set.all().delete()
    for event in (*events, state):
        order.events.create(event=event, actor="orders")
    Order.objects.filter(pk=order.pk).update(state=state, lease_until="2020-01-01T00:00Z")
    if state in (State.PENDING, State.RESERVED):
        order.payment.delete()


def true(shop, charges, order):
    """What is left of the order everywhere."""
    order.refresh_from_db()
    charge = charges.find(str(order.pk))
    reservation = shop.reservations.get(str(order.pk))
    return order.state, reservation and reservation["state"], charge and charge["state"], shop.available["A"]


def test_what_is_true_stays_as_it_is(shop, charges, order):
    before = true(shop, charges, order)
    assert reconcile(id=order.pk).repaired
    assert true(shop, charges, order) == before == ("completed", "committed", "succeeded", 8)


def test_goods_that_stock_forgot_are_booked_out_again(shop, charges, order):
    forget_goods(shop, order)
    assert reconcile(id=order.pk).repaired
    assert true(shop, charges, order) == ("completed", "committed", "succeeded", 8)


def test_goods_that_are_gone_are_refunded(shop, charges, order):
    forget_goods(shop, order)
    shop.available["A"] = 1
    outcome = reconcile(id=order.pk)
    assert (outcome.repaired, outcome.done) == (True, "refunded: the goods are gone")
    assert true(shop, charges, order) == ("refunded", "released", "refunded", 1)


def test_a_payment_that_the_provider_forgot_ends_the_order(shop, charges, order, forget_charge):
    forget_charge(order)
    assert reconcile(id=order.pk).done == "refunded: the provider knows of no payment"
    assert true(shop, charges, order) == ("refunded", "returned", "voided", 10)


def test_what_was_shipped_stays_sold_when_its_payment_is_forgotten(shop, charges, order, forget_charge):
    lifecycle.ship(order=order, actor="staff")
    forget_charge(order)
    assert reconcile(id=order.pk).repaired
    assert true(shop, charges, order) == ("refunded", "committed", "voided", 8)


def test_what_was_shipped_and_is_not_there_needs_a_person(shop, charges, order):
    lifecycle.ship(order=order, actor="staff")
    forget_goods(shop, order)
    shop.available["A"] = 1
    outcome = reconcile(id=order.pk)
    assert not outcome.repaired
    assert "receive them first" in outcome.done
    assert true(shop, charges, order) == ("shipped", None, "succeeded", 1)


def test_an_order_that_is_forgotten_is_undone(shop, charges):
    id = str(uuid4())
    shop.available["A"] -= 3
    shop.reservations[id] = {"state": "committed", "lines": {"A": 3}}
    charges.charge(id, 750, "USD", "tok_ok")
    for _ in range(2):
        assert reconcile(id=UUID(id)).repaired
        assert (shop.reservations[id]["state"], charges.find(id)["state"]) == ("returned", "refunded")
        assert shop.available["A"] == 10


@pytest.mark.parametrize(
    ("state", "events"),
    [
        ("pending", []),
        ("reserved", ["pending"]),
        ("paying", ["pending", "reserved"]),
        ("paid", ["pending", "reserved", "paying"]),
        ("confirmed", ["pending", "reserved", "paying", "paid"]),
        ("stock_committed", ["pending", "reserved", "paying", "paid", "confirmed"]),
    ],
)
def test_an_order_that_is_behind_catches_up(shop, charges, order, state, events):
    rewind(order, state, *events)
    assert reconcile(id=order.pk).repaired
    assert true(shop, charges, order) == ("completed", "committed", "succeeded", 8)
    assert shop.consumed == {str(order.pk)}


@pytest.mark.parametrize(("state", "events"), [("paid", 3), ("confirmed", 4), ("stock_committed", 5)])
def test_an_order_under_way_that_stock_forgot_is_completed(shop, charges, order, state, events):
    rewind(order, state, *["pending", "reserved", "paying", "paid", "confirmed"][:events])
    forget_goods(shop, order)
    assert reconcile(id=order.pk).repaired
    assert true(shop, charges, order) == ("completed", "committed", "succeeded", 8)


def test_an_order_that_is_behind_its_prices_is_undone(shop, charges, order):
    rewind(order, "pending")
    order.lines.all().delete()
    Order.objects.filter(pk=order.pk).update(cart_version=None, subtotal=0, total=0)
    outcome = reconcile(id=order.pk)
    assert outcome.repaired, outcome
    assert true(shop, charges, order) == ("rejected", "returned", "refunded", 10)


def test_a_refund_goes_on_when_stock_and_provider_forgot_what_it_gives_back(shop, charges, order, forget_charge):
    rewind(order, "refunding", "pending", "reserved", "paying", "paid", "confirmed", "stock_committed", "completed")
    forget_goods(shop, order)
    forget_charge(order)
    assert reconcile(id=order.pk).repaired
    assert true(shop, charges, order) == ("refunded", "released", "voided", 10)


def test_a_refund_of_an_order_that_did_not_hear_that_its_goods_were_sold_puts_them_back(
    shop, charges, order, forget_charge
):
    """The answer of ``commit`` was lost, and the provider is older than the charge."""
    rewind(order, State.CONFIRMED, "pending", "reserved", "paying", "paid")
    shop.carts[str(order.cart)]["checkout"] = str(order.pk)
    forget_charge(order)
    assert reconcile(id=order.pk).repaired
    assert true(shop, charges, order) == ("refunded", "returned", "voided", 10)
    assert shop.carts[str(order.cart)]["checkout"] is None


def test_a_failed_order_gives_back_what_others_still_hold(shop, charges, order):
    lifecycle.cancel(order=order, actor="buyer")
    id = str(order.pk)
    shop.available["A"] -= 2
    shop.reservations[id] = {"state": "held", "lines": {"A": 2}}
    with psycopg2.connect(charges._url) as database, database.cursor() as cursor:
        cursor.execute("UPDATE charge SET state = 'succeeded' WHERE key = %s", [id])
    database.close()
    assert reconcile(id=order.pk).repaired
    assert true(shop, charges, order) == ("refunded", "released", "refunded", 10)


def test_an_order_that_somebody_is_at_work_on_is_left_alone(shop, charges, order):
    rewind(order, "confirmed", "pending", "reserved", "paying", "paid")
    Order.objects.filter(pk=order.pk).update(lease_until="2100-01-01T00:00Z")
    before = true(shop, charges, order)
    assert not reconcile(id=order.pk).repaired
    assert true(shop, charges, order) == before


def test_a_service_that_is_down_leaves_it_for_later(shop, charges, order):
    forget_goods(shop, order)
    shop.down.add("stock")
    assert not reconcile(id=order.pk).repaired
    shop.down.clear()
    assert true(shop, charges, order) == ("completed", None, "succeeded", 10)


def test_the_command_refuses_what_is_no_id(monkeypatch):
    monkeypatch.setattr("sys.stdin", StringIO("not an id\n"))
    with pytest.raises(CommandError, match="'not an id' is not an order's id"):
        call_command("reconcile")
