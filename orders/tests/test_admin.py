"""The order desk, page by page."""

import pytest
from chassis import admin

from orders.models import Order, OrderEvent, State

pytestmark = pytest.mark.django_db
LIST = "/admin/orders/orders/order/"


@pytest.fixture
def desk(at_desk):
    return at_desk("orders")


@pytest.fixture
def bought(shop, buy):
    return [Order.objects.get(pk=buy(shop.cart(A=n)).json()["id"]) for n in (1, 2, 3)]


def states():
    return list(Order.objects.order_by("number").values_list("state", flat=True))


@pytest.mark.parametrize(("action", "verb"), [("cancel_orders", "Cancel"), ("refund_orders", "Refund")])
def test_what_gives_money_back_is_asked_first_with_orders_and_amounts(desk, bought, action, verb):
    events = OrderEvent.objects.count()
    page = desk.post(LIST, {"action": action, "_selected_action": [bought[0].pk, bought[1].pk], "index": 0})
    assert page.context["title"] == f"{verb} 2 orders"
    html = page.content.decode()
    for order, amount in zip(bought, ("2.50 USD", "5.00 USD"), strict=False):
        assert f"Order {order.number} of ada@example.com: {amount}, confirmed, paid" in html
    assert f"Order {bought[2].number}" not in html
    assert (states(), OrderEvent.objects.count()) == ([State.COMPLETED] * 3, events)
    answer = desk.post(
        LIST,
        {name: [value for key, value in page.context["hidden"] if key == name] for name, _ in page.context["hidden"]},
    )
    assert answer.status_code == 302
    assert states() == [State.REFUNDED, State.REFUNDED, State.COMPLETED]


def test_more_than_can_be_looked_over_is_refused(desk, bought, monkeypatch):
    monkeypatch.setattr(admin, "MAX_AT_ONCE", 2)
    answer = desk.post(
        LIST, {"action": "refund_orders", "_selected_action": [order.pk for order in bought]}, follow=True
    )
    assert "3 are too many to look over. Select 2 at most." in answer.content.decode()
    assert states() == [State.COMPLETED] * 3


def test_an_order_says_in_words_why_it_was_refused(desk, shop, buy):
    buy(shop.cart(A=1))
    buy(shop.cart(A=11))
    taken, refused = Order.objects.order_by("number")
    page = desk.get(f"{LIST}{taken.pk}/change/").content.decode()
    assert "Refused because" not in page
    assert "problem document" not in page
    page = desk.get(f"{LIST}{refused.pk}/change/").content.decode()
    assert "Refused because" in page
    assert refused.failure["detail"].startswith("Not enough in stock: A: 9 available")
    assert refused.failure["detail"] in page
    assert "insufficient_stock&quot;" not in page


@pytest.mark.parametrize(
    ("action", "word"), [("mark_shipped", "shipped"), ("mark_delivered", "delivered"), ("refund_orders", "refunded")]
)
def test_what_cannot_be_done_is_said_in_words(desk, shop, buy, action, word):
    buy(shop.cart(A=11))
    order = Order.objects.get()
    answer = desk.post(LIST, {"action": action, "_selected_action": [order.pk], "sure": "yes"}, follow=True)
    assert [str(said) for said in answer.context["messages"]] == [
        f"Order {order.number}: An order that is rejected cannot be {word} now."
    ]
    assert states() == [State.REJECTED]
