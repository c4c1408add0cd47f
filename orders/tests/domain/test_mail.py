"""Mails to the buyer, into Django's outbox."""

import pytest
from django.core import mail as outbox
from django.core.mail import BadHeaderError
from django.core.mail.backends.locmem import EmailBackend

from orders.domain import documents, mail
from orders.models import Mail, Order

pytestmark = pytest.mark.django_db


def test_a_confirmation_says_what_was_bought_and_where_to_look(shop, buy):
    buy(shop.cart(A=2, B=1))
    assert (mail.send_due(), mail.send_due()) == (1, 0)
    [sent] = outbox.outbox
    order = Order.objects.get()
    assert sent.to == ["ada@example.com"]
    assert sent.subject == f"Your order {order.number} is confirmed"
    for part in ("2 x Goods A: 5.00 USD", "Total: 6.00 USD", "12345 Springfield", documents.location(order)):
        assert part in sent.body
    assert Mail.objects.get().sent is not None


class Fussy(EmailBackend):
    """A server that does not take mails to some address."""

    refused = "nobody@example.com"

    def send_messages(self, messages):
        if any(self.refused in message.to for message in messages):
            raise ConnectionRefusedError
        return super().send_messages(messages)


@pytest.fixture
def fussy(settings):
    settings.EMAIL_BACKEND = f"{__name__}.Fussy"


def test_a_mail_that_fails_is_tried_again_later(shop, buy, settings, fussy):
    buy(shop.cart(A=1), email=Fussy.refused)
    assert mail.send_due() == 0
    kept = Mail.objects.get()
    assert (kept.sent, kept.attempts) == (None, 1)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert mail.send_due() == 0, "it waits before it tries again"
    Mail.objects.update(next_attempt="2020-01-01T00:00Z")
    assert mail.send_due() == 1
    assert len(outbox.outbox) == 1


def test_a_mail_that_fails_holds_up_no_other(shop, buy, fussy):
    for who in ("first@example.com", Fussy.refused, "last@example.com"):
        buy(shop.cart(A=1), email=who)
    for number, order in enumerate(Order.objects.order_by("number")):
        Mail.objects.filter(order=order).update(next_attempt=f"2020-01-0{number + 1}T00:00Z")
    assert [mail.send_due() for _ in range(3)] == [1, 1, 0]
    assert [sent.to[0] for sent in outbox.outbox] == ["first@example.com", "last@example.com"]
    rows = [(row.order.email, row.attempts, bool(row.sent)) for row in Mail.objects.order_by("order__number")]
    assert rows == [("first@example.com", 1, True), (Fussy.refused, 1, False), ("last@example.com", 1, True)]


def test_a_server_that_takes_its_time_leaves_the_worker_time_for_its_orders(shop, buy, monkeypatch):
    monkeypatch.setattr(mail, "PATIENCE_SECONDS", 0)
    for who in ("first@example.com", "second@example.com", "third@example.com"):
        buy(shop.cart(A=1), email=who)
    assert [mail.send_due() for _ in range(4)] == [1, 1, 1, 0]
    assert [(row.attempts, bool(row.sent)) for row in Mail.objects.all()] == [(1, True)] * 3


class Rude(EmailBackend):
    """A server that takes every mail and fails when it is left."""

    def close(self):
        raise ConnectionResetError


def test_what_is_sent_is_not_sent_again_whatever_happens_after_it(shop, buy, settings):
    buy(shop.cart(A=1), email="first@example.com")
    settings.EMAIL_BACKEND = f"{__name__}.Rude"
    assert mail.send_due() == 1
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    for who in ("second@example.com", "a\nforged: header@example.com"):
        buy(shop.cart(A=1))
        Order.objects.filter(pk=Order.objects.latest("number").pk).update(email=who)
    with pytest.raises(BadHeaderError):
        mail.send_due()
    assert [sent.to[0] for sent in outbox.outbox] == ["first@example.com", "second@example.com"]
    assert [bool(row.sent) for row in Mail.objects.order_by("order__number")] == [True, True, False]


@pytest.mark.parametrize(
    ("method", "words"), [("test", "Your payment of 2.50 USD comes back"), ("invoice", "You owe nothing")]
)
def test_a_cancelled_order_says_what_becomes_of_the_money(shop, buy, api, as_customer, method, words):
    me = as_customer()
    location = buy(shop.cart(A=1), headers=me, method=method)["Location"]
    api.post(f"{location}/cancel", headers=me)
    while mail.send_due():
        pass
    assert words in outbox.outbox[-1].body
