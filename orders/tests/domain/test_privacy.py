"""What customers may ask of orders: a copy, and to be taken out of those at rest."""

from uuid import uuid4

import pytest
from chassis.idempotency.models import IdempotencyRecord
from django.core import mail as outbox

from orders.domain import lifecycle, mail
from orders.models import ERASED, Mail, Order
from tests.conftest import ADDRESS

pytestmark = pytest.mark.django_db
NOBODY = {"name": "", "line1": "", "line2": "", "city": "", "postal_code": "", "country": "US"}


@pytest.fixture
def bought(shop, buy, as_customer):
    def make(customer, **how):
        headers = as_customer(str(customer)) if customer else None
        return Order.objects.get(pk=buy(shop.cart(A=2), headers=headers, **how).json()["id"])

    return make


@pytest.fixture
def ask(api, as_service):
    """``ask("delete", customer)``, as the customers service."""
    return lambda method, customer: getattr(api, method)(f"/internal/customers/{customer}", as_service("customers"))


def person(order):
    order.refresh_from_db()
    return order.email, order.shipping_address


def test_a_copy_is_what_the_customer_sees_with_its_history(bought, ask):
    me = uuid4()
    order, _ = bought(me), bought(uuid4())
    [copy] = ask("get", me).json()["orders"]
    assert (copy["number"], copy["email"], copy["total"]["amount"]) == (str(order.number), "ada@example.com", 500)
    assert copy["shipping_address"] == ADDRESS
    assert [event["event"] for event in copy["events"]][-1] == "completed"


def test_who_is_to_get_goods_is_known_until_they_are_sent(bought, ask):
    me = uuid4()
    order, done = bought(me), bought(me)
    lifecycle.ship(order=done, actor="test")
    refused = ask("delete", me)
    assert (refused.status_code, refused.json()["code"], refused.json()["left"]) == (409, "orders_under_way", 1)
    assert person(done) == (ERASED, NOBODY)
    assert person(order) == ("ada@example.com", {**ADDRESS})
    lifecycle.cancel(order=order, actor="test")
    for _ in range(2):
        assert ask("delete", me).status_code == 204
    assert person(order) == (ERASED, NOBODY)


def test_what_the_law_wants_stays_and_nothing_else(bought, ask):
    me = uuid4()
    order, other, guests = bought(me), bought(uuid4()), bought(None)
    lifecycle.ship(order=order, actor="test")
    before = Order.objects.filter(pk=order.pk).values("number", "total", "customer", "created", "state").get()
    lines = list(order.lines.values("sku", "name", "quantity", "unit_price"))
    assert Mail.objects.filter(order=order, sent=None).exists()
    assert ask("delete", me).status_code == 204
    assert Order.objects.filter(pk=order.pk).values(*before).get() == before
    assert list(order.lines.values("sku", "name", "quantity", "unit_price")) == lines
    assert not Mail.objects.filter(order=order).exists()
    assert not IdempotencyRecord.objects.filter(order=order).exists()
    assert IdempotencyRecord.objects.count() == 2
    assert [person(each)[0] for each in (other, guests)] == ["ada@example.com"] * 2


def test_an_invoice_is_collected_first(bought, ask):
    me = uuid4()
    order = bought(me, method="invoice")
    lifecycle.ship(order=order, actor="test")
    assert ask("delete", me).status_code == 409
    assert person(order)[0] == "ada@example.com"
    lifecycle.mark_paid(order=order, actor="test")
    assert ask("delete", me).status_code == 204
    assert person(order) == (ERASED, NOBODY)


def test_a_refund_after_that_moves_money_and_writes_to_nobody(bought, ask):
    me = uuid4()
    order = bought(me)
    lifecycle.ship(order=order, actor="test")
    ask("delete", me)
    lifecycle.refund(order=order, actor="test")
    outbox.outbox.clear()
    while mail.send_due():
        pass
    order.refresh_from_db()
    assert (order.state, order.payment.state) == ("refunded", "refunded")
    assert outbox.outbox == []
    assert not Mail.objects.filter(order=order, sent=None).exists()
