"""The checkout as a client meets it."""

from uuid import uuid4

import pytest
from chassis.idempotency.models import IdempotencyRecord

from orders.domain import checkout, completion, payments, saga
from orders.models import Mail, Order, OrderEvent, Payment

pytestmark = pytest.mark.django_db
ORDERS = "/api/v1/orders"
WAY = ["pending", "reserved", "paying", "paid", "confirmed", "stock_committed", "completed"]


def events() -> list[str]:
    return list(OrderEvent.objects.order_by("id").values_list("event", flat=True))


def charge_of(charges, order: Order) -> str | None:
    found = charges.find(str(order.pk))
    return found and found["state"]


def test_a_guest_buys(shop, buy, api, charges):
    cart = shop.cart(A=2, B=1)
    answer = buy(cart)
    assert answer.status_code == 201, answer.content
    body = answer.json()
    order = Order.objects.get()
    assert (body["id"], body["number"], body["status"]) == (str(order.pk), str(order.number), "confirmed")
    assert body["lines"] == [
        {
            "sku": sku,
            "name": f"Goods {sku}",
            "quantity": quantity,
            "unit_price": {"amount": price, "currency": "USD"},
            "line_total": {"amount": quantity * price, "currency": "USD"},
        }
        for sku, quantity, price in [("A", 2, 250), ("B", 1, 100)]
    ]
    assert [body[part]["amount"] for part in ("subtotal", "discount", "shipping", "tax", "total")] == [
        600,
        0,
        0,
        0,
        600,
    ]
    assert body["payment"] == {"method": "test", "status": "paid"}
    assert answer["Location"] == f"{ORDERS}/{order.pk}?access_token={body['access_token']}"
    assert events() == WAY
    assert (charge_of(charges, order), charges.find(str(order.pk))["amount"]) == ("succeeded", 600)
    assert shop.reservations[str(order.pk)] == {"state": "committed", "lines": {"A": 2, "B": 1}}
    assert shop.carts[cart]["lines"] == {}
    assert (order.token, Mail.objects.get().kind) == ("", "confirmation")
    assert api.get(answer["Location"]).json() == body
    assert api.get(f"{ORDERS}/{order.pk}").status_code == 404
    assert api.get(f"{ORDERS}/{order.pk}?access_token=wrong").status_code == 404


def test_a_key_is_answered_the_same_again(shop, buy):
    cart = shop.cart(A=2)
    first, again = buy(cart, key="k"), buy(cart, key="k")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert ("Idempotent-Replayed" in first, again["Idempotent-Replayed"]) == (False, "true")
    assert (Order.objects.count(), shop.available["A"]) == (1, 8)
    other = buy(cart, key="k", email="bob@example.com")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_a_key_is_needed(shop, api):
    body = {
        "cart": shop.cart(A=1),
        "email": "a@example.com",
        "shipping_address": {"name": "A", "line1": "1", "city": "B", "postal_code": "1", "country": "US"},
        "payment": {"method": "test", "token": "tok_ok"},
    }
    answer = api.post(ORDERS, body)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_required")
    assert not Order.objects.exists()


def test_another_key_for_an_ordered_cart_is_refused(shop, buy):
    cart = shop.cart(A=2)
    buy(cart)
    again = buy(cart)
    assert (again.status_code, again.json()["code"]) == (409, "cart_already_ordered")
    assert (charged := Payment.objects.filter(state="paid").count()) == 1, charged


def test_an_empty_cart_is_refused(shop, buy):
    answer = buy(shop.cart())
    assert (answer.status_code, answer.json()["code"]) == (409, "cart_empty")


def test_what_was_added_meanwhile_can_be_ordered_next(shop, buy):
    cart = shop.cart(A=1)
    buy(cart)
    shop.carts[cart]["lines"]["B"] = 1
    assert buy(cart).status_code == 201


@pytest.mark.parametrize("owner", [True, False])
def test_somebody_elses_cart_is_not_there(shop, buy, as_customer, owner):
    cart = shop.cart(customer=uuid4(), A=1) if owner else str(uuid4())
    answer = buy(cart, headers=as_customer())
    assert (answer.status_code, answer.json()["code"]) == (404, "cart_not_found")
    assert shop.available["A"] == 10


def test_short_stock_names_each_sku_and_holds_nothing(shop, buy):
    cart = shop.cart(A=11, B=1)
    answer = buy(cart, key="k")
    assert (answer.status_code, answer.json()["code"]) == (409, "insufficient_stock")
    assert answer.json()["lines"] == [{"sku": "A", "quantity": 11, "available": 10}]
    assert (shop.available, shop.held(), events()) == ({"A": 10, "B": 10, "C": 10}, 0, ["pending", "rejected"])
    assert buy(cart, key="k").content == answer.content
    shop.available["A"] = 20
    assert buy(cart).status_code == 201


def test_who_was_surely_refused_has_nothing_to_give_back(shop, buy):
    assert buy(shop.cart(A=1)).status_code == 201  # connections are there
    shop.calls.clear()
    cart = shop.cart(A=11)
    assert buy(cart).json()["code"] == "insufficient_stock"
    assert (shop.calls, shop.carts[cart]["checkout"]) == (["begin", "variants", "reserve", "end"], None)
    shop.archived.add("B")
    assert buy(shop.cart(B=1)).json()["code"] == "product_unavailable"
    assert shop.calls[4:] == ["begin", "variants", "end"]


def test_where_a_request_may_have_gone_out_twice_the_id_is_spent(shop, buy):
    """The one whose answer was lost may still be on its way, and come when there are goods again."""
    assert buy(shop.cart(A=1)).status_code == 201
    shop.calls.clear()
    shop.lose["/reservations/"] = 1
    assert buy(shop.cart(A=11)).json()["code"] == "insufficient_stock"
    assert shop.calls == ["begin", "variants", "reserve", "reserve", "release", "end"]
    assert shop.reservations[str(Order.objects.latest("created").pk)]["state"] == "released"


@pytest.mark.parametrize("gone", ["archived", "unknown"])
def test_goods_that_are_not_for_sale_are_refused(shop, buy, gone):
    cart = shop.cart(A=1, B=1)
    if gone == "archived":
        shop.archived.add("B")
    else:
        del shop.prices["B"]
    answer = buy(cart)
    assert (answer.status_code, answer.json()["code"]) == (409, "product_unavailable")
    assert answer.json()["skus"] == ["B"]
    assert not Payment.objects.exists()


def test_another_total_than_expected_is_refused(shop, buy):
    cart = shop.cart(A=2)
    wrong = buy(cart, expected_total={"amount": 499, "currency": "USD"})
    assert (wrong.status_code, wrong.json()["code"]) == (409, "total_changed")
    assert wrong.json()["total"] == {"amount": 500, "currency": "USD"}
    assert buy(cart, expected_total={"amount": 500, "currency": "USD"}).status_code == 201


def test_a_declined_payment_frees_everything(shop, buy, charges):
    cart = shop.cart(A=2)
    answer = buy(cart, key="k", token="tok_declined")
    assert (answer.status_code, answer.json()["code"]) == (402, "payment_declined")
    order = Order.objects.get()
    assert (order.status, order.payment.state, shop.held(), charge_of(charges, order)) == (
        "rejected", "declined", 0, "declined",
    )  # fmt: skip
    assert buy(cart, key="k", token="tok_declined").content == answer.content
    assert buy(cart).status_code == 201


def test_an_error_of_the_provider_charges_nothing_and_ends_rejected(shop, buy, charges):
    answer = buy(shop.cart(A=2), token="tok_error")
    assert (answer.status_code, answer.json()["code"]) == (402, "payment_declined")
    order = Order.objects.get()
    assert (order.status, charge_of(charges, order), shop.held()) == ("rejected", "error", 0)


def test_a_lost_answer_of_the_provider_is_asked_for(shop, buy, charges):
    answer = buy(shop.cart(A=2), token="tok_timeout")
    assert (answer.status_code, answer.json()["status"]) == (201, "confirmed")
    assert charge_of(charges, Order.objects.get()) == "succeeded"


def test_an_invoice_is_for_customers_and_confirms_at_once(shop, buy, api, as_customer, as_staff):
    guest = buy(shop.cart(A=1), method="invoice")
    assert (guest.status_code, guest.json()["errors"][0]["field"]) == (400, "payment.method")
    me = as_customer()
    answer = buy(shop.cart(A=1), method="invoice", headers=me)
    assert (answer.status_code, answer.json()["payment"]) == (201, {"method": "invoice", "status": "due"})
    assert answer.json()["access_token"] is None
    url = answer["Location"]
    assert api.get(url, me).json()["status"] == "confirmed"
    assert api.get(url, as_customer()).status_code == 404
    assert api.get(url).status_code == 404
    assert api.post(f"{url}/mark-paid", headers=as_staff("orders")).json()["payment"]["status"] == "paid"
    again = api.post(f"{url}/mark-paid", headers=as_staff("orders"))
    assert (again.status_code, again.json()["code"]) == (409, "invalid_transition")


@pytest.mark.parametrize("service", ["cart", "products", "stock"])
def test_a_service_that_is_down_is_503_and_the_same_key_may_try_again(shop, buy, service):
    cart = shop.cart(A=2)
    shop.down = {service}
    answer = buy(cart, key="k")
    assert (answer.status_code, answer.json()["code"]) == (503, "dependency_unavailable")
    assert int(answer["Retry-After"]) > 0
    shop.down = set()
    again = buy(cart, key="k")
    assert (again.status_code, "Idempotent-Replayed" in again) == (201, False)
    assert (Order.objects.count(), shop.available["A"]) == (1, 8)


def test_any_total_that_a_cart_can_have_may_be_expected(shop, buy):
    shop.fill(quantity=999, A=2_000_000_000)
    total = {"amount": 999 * 2_000_000_000, "currency": "USD"}
    answer = buy(shop.cart(A=999), expected_total=total)
    assert (answer.status_code, answer.json()["total"]) == (201, total)


def test_who_was_told_to_try_again_and_does_not_is_not_charged(shop, buy):
    cart = shop.cart(A=2)
    shop.down = {"stock"}
    buy(cart, key="k")
    shop.down = set()
    Order.objects.update(next_attempt="2020-01-01T00:00Z")
    completion.go_on()
    assert Order.objects.get().state == "rejected"
    assert (Payment.objects.count(), shop.held()) == (0, 0)
    late = buy(cart, key="k")
    assert late.status_code == 201
    assert Order.objects.count() == 2


@pytest.mark.parametrize("path", ["commit", "consume"])
def test_what_comes_after_the_promise_never_holds_up_the_answer(shop, buy, path):
    cart = shop.cart(A=2)
    shop.down = {path}
    answer = buy(cart)
    assert (answer.status_code, answer.json()["status"]) == (201, "confirmed")
    assert Order.objects.get().state in ("confirmed", "stock_committed")
    shop.down = set()
    Order.objects.update(next_attempt="2020-01-01T00:00Z")
    assert completion.go_on() == 1
    assert (Order.objects.get().state, shop.carts[cart]["lines"]) == ("completed", {})


@pytest.mark.parametrize("path", ["/checkouts/", "/variants", "/reservations/", "/commit", "/consume"])
def test_an_answer_that_is_lost_is_got_by_asking_again(shop, buy, path):
    shop.lose[path] = 1
    answer = buy(shop.cart(A=2))
    assert answer.status_code == 201
    assert (shop.available["A"], events()) == (8, WAY)


def test_goods_that_are_gone_after_all_are_refunded(shop, buy, charges):
    shop.down = {"commit"}
    answer = buy(shop.cart(A=8))
    order = Order.objects.get()
    shop.expire(str(order.pk))
    shop.available["A"] = 0
    shop.down = set()
    Order.objects.update(next_attempt="2020-01-01T00:00Z")
    completion.go_on()
    order.refresh_from_db()
    assert answer.status_code == 201
    assert (order.state, order.payment.state, charge_of(charges, order)) == ("refunded", "refunded", "refunded")
    assert set(Mail.objects.values_list("kind", flat=True)) == {"confirmation", "refunded"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"cart": "x"}, "cart"),
        ({"cart": 5}, "cart"),
        ({"email": "nope"}, "email"),
        ({"shipping_address": {}}, "shipping_address.name"),
        ({"shipping_address": "x"}, "shipping_address"),
        ({"expected_total": {"amount": -1, "currency": "USD"}}, "expected_total.amount"),
        ({"expected_total": {"amount": 1, "currency": "EUR"}}, "expected_total.currency"),
        ({"method": "cash"}, "payment.method"),
        ({"token": None}, "payment.token"),
        ({"coupon": "x"}, "coupon"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_field_by_field(shop, buy, change, field):
    answer = buy(shop.cart(A=1), **change)
    assert answer.status_code == 400, answer.content
    assert field in [error["field"] for error in answer.json()["errors"]]
    assert (Order.objects.count(), IdempotencyRecord.objects.count()) == (0, 0)


def test_the_fingerprint_is_of_what_was_meant_not_of_how_it_was_written(shop, buy):
    cart = shop.cart(A=1)
    first = buy(cart, key="k")
    assert buy(cart.upper(), key="k").content == first.content


def test_who_was_told_to_try_again_is_not_charged_however_long_the_outage_lasts(shop, buy):
    cart = shop.cart(A=2)
    shop.down = {"stock"}
    assert buy(cart, key="k").status_code == 503
    for down in ({"stock"}, set()):
        shop.down = down
        Order.objects.update(next_attempt="2020-01-01T00:00Z")
        completion.go_on()
    assert Order.objects.get().state == "rejected"
    assert not Payment.objects.exists()


def test_a_reservation_that_was_given_up_is_not_charged(shop, buy):
    """Released by a refusal that died before it was written; the order goes on from RESERVED."""
    cart = shop.cart(A=2)
    with pytest.MonkeyPatch.context() as patch:

        def stuck(run):
            raise saga.Unavailable("not now")

        patch.setattr(saga, "_straight", lambda run: False)
        patch.setitem(saga._STEPS, saga.State.RESERVED, stuck)
        buy(cart, key="k")
    order = Order.objects.get()
    shop.release(str(order.pk), None)
    buy(cart, key="k")
    order.refresh_from_db()
    assert (order.state, Payment.objects.filter(order=order).count()) == ("rejected", 0)


def test_an_order_refunded_in_its_own_request_was_confirmed_all_the_same(shop, buy):
    """The goods are gone at the commit: the first answer and its replay say the same."""
    cart = shop.cart(A=2)
    with pytest.MonkeyPatch.context() as patch:
        real = checkout.sell

        def gone(runs):
            shop.expire(str(runs[0].order.pk))
            shop.available["A"] = 0
            real(runs)

        patch.setattr(checkout, "sell", gone)
        first = buy(cart, key="k")
    assert Order.objects.get().state == "refunded"
    assert (first.status_code, buy(cart, key="k").content) == (201, first.content)


def test_the_answer_is_out_when_goods_have_left_the_shelf_and_before_they_leave_the_cart(shop, buy, monkeypatch):
    seen, cart = [], shop.cart(A=2)
    real = checkout.Placed.finish

    def look(placed):
        order = Order.objects.get()
        goods = shop.reservations[str(order.pk)]["state"], dict(shop.carts[cart]["lines"])
        seen.extend([order.state, *goods, placed.answer.status])
        real(placed)

    monkeypatch.setattr(checkout.Placed, "finish", look)
    assert buy(cart).status_code == 201
    assert seen == ["confirmed", "committed", {"A": 2}, 201]
    assert Order.objects.get().state == "completed"


@pytest.mark.parametrize(("moment", "ends"), [("_reserve", "cancelled"), ("pay", "refunded"), ("sell", "refunded")])
def test_cancelling_between_states_that_are_entered_at_once(shop, buy, charges, monkeypatch, moment, ends):
    """Somebody asks to cancel while the last call before them is under way: nothing is passed by."""
    target, name = {"pay": (payments, "settle"), "sell": (checkout, "sell")}.get(moment, (saga, moment))
    real = getattr(target, name)

    def meanwhile(*args, **kwargs):
        result = real(*args, **kwargs)
        Order.objects.update(cancel_requested="2020-01-01T00:00Z")
        return result

    monkeypatch.setattr(target, name, meanwhile)
    buy(shop.cart(A=2))
    order = Order.objects.get()
    assert (order.state, shop.available["A"], shop.held()) == (ends, 10, 0)
    charge = charges.find(str(order.pk))
    assert (charge["state"] if charge else None) == (None if ends == "cancelled" else "refunded")
