"""Each constraint of the database, tried."""

from uuid import uuid4

import pytest
from chassis.idempotency.models import IdempotencyRecord
from django.db import DatabaseError, connection, transaction

from orders.models import LIVE, Mail, Order, OrderEvent, OrderLine, Payment, State

pytestmark = pytest.mark.django_db


def refused(constraint: str):
    return pytest.raises(DatabaseError, match=constraint)


def an_order(**values) -> Order:
    usual = {
        "id": uuid4(),
        "email": "ada@example.com",
        "shipping_address": {},
        "cart": uuid4(),
        "cart_version": 1,
        "currency": "USD",
        "method": "test",
        "lease": uuid4(),
        "lease_until": "2020-01-01T00:00Z",
    }
    return Order.objects.create(**usual | values)


@pytest.mark.parametrize("state", [*LIVE])
def test_a_cart_has_one_live_order(state):
    first = an_order(state=state)
    with refused("order_one_live_per_cart"), transaction.atomic():
        an_order(cart=first.cart, cart_version=2)
    assert Order.objects.count() == 1


def test_a_version_of_a_cart_has_one_order_that_did_not_fail():
    first = an_order(state=State.COMPLETED)
    with refused("order_one_per_cart_version"), transaction.atomic():
        an_order(cart=first.cart)
    for failed in (State.REJECTED, State.CANCELLED, State.REFUNDED):
        an_order(cart=first.cart, state=failed)
    an_order(cart=first.cart, cart_version=2)


def test_a_key_has_one_order():
    record = IdempotencyRecord.objects.create(scope="guest:x", key="k", fingerprint="f")
    an_order(idempotency=record, state=State.REJECTED)
    an_order(idempotency=record)
    with refused("order_one_per_key"), transaction.atomic():
        an_order(idempotency=record)


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"state": "lost"}, "order_state_known"),
        ({"subtotal": 5, "total": 6}, "order_total_adds_up"),
        ({"subtotal": 5, "discount": 1, "shipping": 2, "tax": 3, "total": 5}, "order_total_adds_up"),
        ({"subtotal": -1, "total": -1}, "order_amounts_not_negative"),
        ({"subtotal": 0, "discount": -1, "total": 1}, "order_amounts_not_negative"),
        ({"cart_version": None, "state": "reserved"}, "order_has_snapshot_beyond_pending"),
    ],
)
def test_an_order_is_never_impossible(values, constraint):
    with refused(constraint), transaction.atomic():
        an_order(**values)
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"quantity": 0}, "line_quantity_positive"),
        ({"unit_price": -1}, "line_price_not_negative"),
        ({"sku": "B"}, "line_once_per_sku"),
    ],
)
def test_a_line_makes_sense_and_stands_once(values, constraint):
    order = an_order()
    OrderLine.objects.create(order=order, sku="B", name="b", quantity=1, unit_price=1)
    line = {"order": order, "sku": "A", "name": "a", "quantity": 1, "unit_price": 1}
    with refused(constraint), transaction.atomic():
        OrderLine.objects.create(**line | values)


@pytest.mark.parametrize(
    ("values", "constraint"),
    [({"state": "lost"}, "payment_state_known"), ({"amount": -1}, "payment_amount_not_negative")],
)
def test_a_payment_makes_sense(values, constraint):
    payment = {"order": an_order(), "state": "initiated", "amount": 1, "currency": "USD"}
    with refused(constraint), transaction.atomic():
        Payment.objects.create(**payment | values)


def test_an_order_has_one_payment_and_keeps_it():
    order = an_order()
    Payment.objects.create(order=order, state="paid", amount=1, currency="USD")
    with pytest.raises(DatabaseError), transaction.atomic():
        Payment.objects.create(order=order, state="paid", amount=1, currency="USD")
    with pytest.raises(Exception, match="protected"):
        order.delete()


def test_a_state_is_entered_once_and_a_mail_sent_once():
    order = an_order()
    OrderEvent.objects.create(order=order, event="paid", actor="t")
    with refused("event_once_per_order"), transaction.atomic():
        OrderEvent.objects.create(order=order, event="paid", actor="t")
    Mail.objects.create(order=order, kind="confirmation")
    with refused("mail_once_per_kind"), transaction.atomic():
        Mail.objects.create(order=order, kind="confirmation")


@pytest.mark.parametrize("statement", ["UPDATE orders_orderevent SET event = 'x'", "DELETE FROM orders_orderevent"])
def test_events_are_append_only(statement):
    OrderEvent.objects.create(order=an_order(), event="paid", actor="t")
    with refused("append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert OrderEvent.objects.get().event == "paid"
