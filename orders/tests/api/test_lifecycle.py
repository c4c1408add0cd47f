"""After the checkout."""

from uuid import uuid4

import pytest

from orders.domain import completion
from orders.models import Mail, Order, OrderEvent, Payment

pytestmark = pytest.mark.django_db
ORDERS = "/api/v1/orders"


@pytest.fixture
def me(as_customer):
    return as_customer(str(uuid4()))


@pytest.fixture
def bought(shop, buy, me):
    """Where a customer's confirmed order is found."""
    answer = buy(shop.cart(A=2), headers=me)
    assert answer.status_code == 201
    return answer["Location"]


def test_cancelling_gives_everything_back_once(shop, api, bought, me, charges):
    for _ in range(2):
        answer = api.post(f"{bought}/cancel", headers=me)
        assert (answer.status_code, answer.json()["status"]) == (200, "refunded")
        assert answer.json()["payment"]["status"] == "refunded"
    order = Order.objects.get()
    assert charges.find(str(order.pk))["state"] == "refunded"
    assert (shop.available["A"], shop.reservations[str(order.pk)]["state"]) == (10, "returned")
    assert set(Mail.objects.values_list("kind", flat=True)) == {"confirmation", "refunded"}


def test_a_guest_cancels_with_the_access_token(shop, buy, api):
    location = buy(shop.cart(A=2))["Location"]
    path, _, query = location.partition("?")
    assert api.post(f"{path}/cancel").status_code == 404
    assert Order.objects.get().state == "completed"
    assert api.post(f"{path}/cancel?{query}").json()["status"] == "refunded"


def test_cancelling_an_invoice_voids_it(shop, buy, api, me):
    location = buy(shop.cart(A=2), method="invoice", headers=me)["Location"]
    answer = api.post(f"{location}/cancel", headers=me).json()
    assert answer["payment"] == {"method": "invoice", "status": "voided"}
    assert shop.available["A"] == 10


def test_ship_then_deliver(api, bought, as_staff, me):
    staff = as_staff("orders")
    early = api.post(f"{bought}/deliver", headers=staff)
    assert (early.status_code, early.json()["code"]) == (409, "invalid_transition")
    assert api.post(f"{bought}/ship", headers=staff).json()["status"] == "shipped"
    assert api.post(f"{bought}/ship", headers=staff).status_code == 409
    late = api.post(f"{bought}/cancel", headers=me)
    assert (late.status_code, late.json()["code"]) == (409, "invalid_transition")
    assert api.post(f"{bought}/deliver", headers=staff).json()["status"] == "delivered"
    told = [event["event"] for event in api.get(f"{bought}/events", me).json()["results"]]
    assert told[-3:] == ["completed", "shipped", "delivered"]


def test_a_refund_after_shipping_moves_money_only(shop, api, bought, as_staff):
    staff = as_staff("orders")
    api.post(f"{bought}/ship", headers=staff)
    for _ in range(2):
        answer = api.post(f"{bought}/refund", headers=staff)
        assert (answer.status_code, answer.json()["status"]) == (200, "refunded")
    assert shop.available["A"] == 8


@pytest.mark.parametrize("step", ["ship", "deliver", "refund", "mark-paid"])
def test_only_staff_take_these_steps(api, bought, step, me, as_staff, as_service):
    statuses = [
        api.post(f"{bought}/{step}", headers=headers).status_code
        for headers in ({}, me, as_staff("support"), as_service("stock"))
    ]
    assert statuses == [401, 403, 403, 403]
    assert Order.objects.get().state == "completed"


@pytest.mark.parametrize("step", ["ship", "deliver", "refund", "mark-paid", "cancel"])
def test_a_rejected_order_goes_nowhere(shop, buy, api, as_staff, step):
    buy(shop.cart(A=99))
    order = Order.objects.get()
    answer = api.post(f"{ORDERS}/{order.pk}/{step}", headers=as_staff())
    assert (answer.status_code, answer.json()["code"]) == (409, "invalid_transition")
    assert api.post(f"{ORDERS}/{uuid4()}/{step}", headers=as_staff()).status_code == 404


@pytest.mark.parametrize("state", ["pending", "reserved", "paying", "paid", "confirmed", "stock_committed"])
def test_cancelling_at_every_state_on_the_way(shop, buy, api, as_staff, charges, state):
    """The order stops in that state (what comes next is down), is cancelled twice, and comes to rest all the same."""
    stops = {
        "pending": {"/variants"},
        "reserved": set(),
        "paying": set(),
        "paid": set(),
        "confirmed": {"commit"},
        "stock_committed": {"consume"},
    }
    from orders.domain import saga

    step = {"reserved": saga.start_payment, "paying": saga.pay, "paid": saga.confirm}.get(state)
    shop.down = stops[state]
    with pytest.MonkeyPatch.context() as patch:
        if step:

            def stuck(run):
                raise saga.Unavailable("not now")

            patch.setattr(saga, "_straight", lambda run: False)
            patch.setitem(saga._STEPS, saga.State(state), stuck)
        buy(shop.cart(A=2))
        if state == "stock_committed":  # which is written where an order goes by itself
            Order.objects.update(next_attempt="2020-01-01T00:00Z")
            completion.go_on()
        order = Order.objects.get()
        assert order.state == state
    shop.down = set()
    for _ in range(2):
        assert api.post(f"{ORDERS}/{order.pk}/cancel", headers=as_staff()).status_code == 200
    Order.objects.update(next_attempt="2020-01-01T00:00Z", lease_until="2020-01-01T00:00Z")
    while completion.go_on():
        pass
    order.refresh_from_db()
    charge = charges.find(str(order.pk))
    assert order.state == ("cancelled" if state in ("pending", "reserved", "paying") else "refunded")
    assert charge is None or charge["state"] in ("refunded", "voided")
    assert (shop.available["A"], shop.held()) == (10, 0)


def test_lists_are_mine_or_everyones(shop, buy, api, me, as_customer, as_staff):
    for _ in range(3):
        buy(shop.cart(A=1), headers=me)
    buy(shop.cart(A=1), headers=as_customer(), email="Eve@example.com")
    buy(shop.cart(A=99), headers=me)
    mine = api.get(f"{ORDERS}?limit=2", me).json()
    assert [order["status"] for order in mine["results"]] == ["rejected", "confirmed"]
    rest = api.get(mine["next"].removeprefix("http://testserver"), me).json()
    assert (len(rest["results"]), rest["next"]) == (2, None)
    staff = as_staff("support")
    assert len(api.get(ORDERS, staff).json()["results"]) == 5
    assert len(api.get(f"{ORDERS}?status=rejected", staff).json()["results"]) == 1
    assert len(api.get(f"{ORDERS}?q=eve@example.com", staff).json()["results"]) == 1
    number = mine["results"][0]["number"]
    assert [order["number"] for order in api.get(f"{ORDERS}?q={number}", staff).json()["results"]] == [number]
    assert api.get(f"{ORDERS}?status=lost", staff).status_code == 400
    assert api.get(ORDERS).status_code == 401


@pytest.mark.parametrize("count", [1, 3])
def test_a_list_is_two_queries_however_long(shop, buy, api, me, count, django_assert_num_queries):
    for _ in range(count):
        buy(shop.cart(A=1, B=1), headers=me)
    with django_assert_num_queries(2):
        assert len(api.get(ORDERS, me).json()["results"]) == count


def test_nothing_personal_is_in_an_event(shop, buy, api, me):
    buy(shop.cart(A=1), headers=me)
    assert not OrderEvent.objects.filter(note__contains="@").exists()
    assert Payment.objects.get().amount == 250


@pytest.mark.parametrize("step", ["cancel", "refund", "ship", "deliver", "mark-paid"])
@pytest.mark.parametrize("body", [{"amount": {"amount": 1, "currency": "USD"}}, [1], "1"])
def test_a_step_takes_no_words_that_it_would_not_heed(api, bought, as_staff, step, body):
    answer = api.post(f"{bought}/{step}", body, as_staff("orders"))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid"), answer.content
    assert Order.objects.get().state == "completed"


def test_what_has_to_wait_is_202_and_goes_on_by_itself(shop, api, bought, me, as_staff):
    shop.down = {"return"}
    for path, who in (("cancel", me), ("refund", as_staff("orders")), ("cancel", me)):
        answer = api.post(f"{bought}/{path}", headers=who)
        assert (answer.status_code, answer["Location"], answer.json()["status"]) == (202, bought, "confirmed")
    shop.down = set()
    Order.objects.update(next_attempt="2020-01-01T00:00Z", lease_until="2020-01-01T00:00Z")
    completion.go_on()
    answer = api.post(f"{bought}/cancel", headers=me)
    assert (answer.status_code, answer.json()["status"]) == (200, "refunded")


def test_an_invoice_is_paid_when_it_is_marked_so_whatever_else_the_order_waits_for(shop, buy, api, me, as_staff):
    shop.down = {"commit"}
    location = buy(shop.cart(A=2), method="invoice", headers=me)["Location"]
    answer = api.post(f"{location}/mark-paid", headers=as_staff("orders"))
    assert (answer.status_code, answer.json()["payment"]["status"]) == (200, "paid")
    assert Order.objects.get().state == "confirmed"


def test_an_id_may_be_written_in_capitals(api, bought, me):
    path, _, id = bought.rpartition("/")
    assert api.get(f"{path}/{id.upper()}", me).json() == api.get(bought, me).json()


def test_no_cache_keeps_what_is_somebody_s_own(api, bought, me):
    for path in (bought, f"{bought}/events", "/api/v1/orders", "/api/v1/orders/none"):
        assert api.get(path, me)["Cache-Control"] == "no-store"


def test_events_are_a_list_like_any_other(api, bought, me):
    told = api.get(f"{bought}/events", me).json()
    assert (told["next"], told["previous"]) == (None, None)
