"""What is ordered: read, and written down once it is known whether its goods could be set aside."""

import pytest

from orders.domain import completion, saga
from orders.models import Order, OrderLine

pytestmark = pytest.mark.django_db


@pytest.fixture
def dies_unwritten(monkeypatch):
    """``dies_unwritten(cart)``: an order of which nothing is written yet, though its goods are set aside."""

    def order(buy, cart, **words):
        def dies(run):
            raise SystemExit

        with monkeypatch.context() as patch, pytest.raises(SystemExit):
            patch.setattr(saga, "_enter_reserved", dies)
            buy(cart, key="k", **words)

    return order


def snapshot():
    order = Order.objects.get()
    return order.cart_version, order.total, dict(order.lines.values_list("sku", "quantity"))


@pytest.mark.parametrize("down", ["products", "stock"])
def test_where_a_service_does_not_answer_nothing_is_set_aside_meanwhile(shop, buy, down):
    shop.down = {down}
    assert buy(shop.cart(A=2)).status_code == 503
    assert (shop.held(), snapshot()) == (0, (None, 0, {}))


def test_who_is_short_of_goods_keeps_the_order_with_its_lines(shop, buy):
    assert buy(shop.cart(A=11, B=1)).status_code == 409
    assert snapshot() == (1, 11 * 250 + 100, {"A": 11, "B": 1})


@pytest.mark.parametrize("why", ["price", "total"])
def test_nothing_is_set_aside_for_what_is_refused_for_its_price(shop, buy, why):
    if why == "price":
        shop.archived.add("B")
    answer = buy(shop.cart(A=1, B=1), expected_total={"amount": 1, "currency": "USD"})
    assert answer.json()["code"] == ("product_unavailable" if why == "price" else "total_changed")
    assert ("reserve" in shop.calls, shop.held(), snapshot()) == (False, 0, (None, 0, {}))


@pytest.mark.django_db(transaction=True)
def test_a_version_of_a_cart_is_ordered_once_and_what_was_set_aside_for_it_again_is_free(shop, buy):
    cart = shop.cart(A=2)
    assert buy(cart).status_code == 201
    shop.carts[cart] |= {"lines": {"A": 2}, "version": 1}  # a cart that was restored from a copy
    answer = buy(cart)
    assert (answer.status_code, answer.json()["code"]) == (409, "cart_already_ordered")
    assert (shop.held(), shop.available["A"]) == (0, 8)
    assert Order.objects.get(state="rejected").total == 500


def test_who_dies_before_it_is_written_is_gone_on_with(shop, buy, dies_unwritten):
    cart = shop.cart(A=2)
    dies_unwritten(buy, cart)
    assert (shop.held(), snapshot()) == (2, (None, 0, {}))
    assert buy(cart, key="k").status_code == 201
    assert (shop.available["A"], snapshot()) == (8, (1, 500, {"A": 2}))


def test_a_cart_that_was_changed_before_anything_was_written_is_ordered_as_it_is_then(shop, buy, dies_unwritten):
    cart = shop.cart(A=2)
    dies_unwritten(buy, cart)
    shop.carts[cart]["lines"]["A"] = 3
    answer = buy(cart, key="k")
    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "abandoned", "2")
    assert (shop.held(), shop.carts[cart]["checkout"]) == (0, None)
    again = buy(cart, key="k")
    assert (again.status_code, again.json()["lines"][0]["quantity"], shop.available["A"]) == (201, 3, 7)


def test_a_cart_that_is_gone_before_anything_was_written_holds_nothing(shop, buy, dies_unwritten):
    cart = shop.cart(A=2)
    dies_unwritten(buy, cart)
    del shop.carts[cart]
    assert buy(cart, key="k").json()["code"] == "cart_not_found"
    assert shop.held() == 0


def test_who_dies_and_does_not_come_back_holds_nothing(shop, buy, dies_unwritten):
    dies_unwritten(buy, shop.cart(A=2))
    Order.objects.update(next_attempt="2020-01-01T00:00Z", lease_until="2020-01-01T00:00Z")
    completion.go_on()
    assert (Order.objects.get().state, shop.held()) == ("rejected", 0)


def test_one_whose_snapshot_was_written_first_goes_on_with_it(shop, buy):
    """As the release before this one leaves it."""
    cart = shop.cart(A=2)
    shop.down = {"stock"}
    assert buy(cart, key="k").status_code == 503
    order = Order.objects.get()
    OrderLine.objects.create(order=order, sku="A", name="Goods A", quantity=1, unit_price=200)
    Order.objects.update(cart_version=1, subtotal=200, total=200)
    shop.down = set()
    assert buy(cart, key="k").json()["total"] == {"amount": 200, "currency": "USD"}
    assert (shop.available["A"], shop.calls.count("variants")) == (9, 1)
