"""Mails to the buyer, into Django's outbox."""

import pytest
from django.core import mail as outbox

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


def test_a_mail_that_fails_is_tried_again_later(shop, buy, monkeypatch):
    buy(shop.cart(A=1))

    def down(*args, **kwargs):
        raise ConnectionRefusedError

    with monkeypatch.context() as patch:
        patch.setattr(mail, "send_mail", down)
        assert mail.send_due() == 0
    kept = Mail.objects.get()
    assert (kept.sent, kept.attempts) == (None, 1)
    assert mail.send_due() == 0, "it waits before it tries again"
    Mail.objects.update(next_attempt="2020-01-01T00:00Z")
    assert mail.send_due() == 1
    assert len(outbox.outbox) == 1


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
