"""Orders, as the contract has it."""

import re
from typing import Any
from uuid import uuid4

import pytest

from support.people import ADDRESS, Person, Staff

MONEY = {"amount", "currency"}
ORDER = {"id", "number", "status", "lines", "subtotal", "discount", "shipping", "tax", "total", "email"}
ORDER |= {"shipping_address", "payment", "created", "access_token"}
LINE = {"sku", "name", "quantity", "unit_price", "line_total"}
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def test_an_order_has_these_fields(guest: Person, staff: Staff) -> None:
    a, b = staff.goods(price=125, quantity=9), staff.goods(price=50, quantity=9)
    answer = guest.checkout(guest.cart_with({a: 3, b: 2}))
    order = answer.ok(201)
    assert set(order) == ORDER
    assert all(set(line) == LINE for line in order["lines"])
    assert {line["sku"]: (line["quantity"], line["line_total"]["amount"]) for line in order["lines"]} == {
        a: (3, 375),
        b: (2, 100),
    }
    amounts = {name: order[name] for name in ("subtotal", "discount", "shipping", "tax", "total")}
    assert all(set(money) == MONEY and money["currency"] == "USD" for money in amounts.values())
    assert {name: money["amount"] for name, money in amounts.items()} == {
        "subtotal": 475,
        "discount": 0,
        "shipping": 0,
        "tax": 0,
        "total": 475,
    }
    assert (order["status"], order["payment"]) == ("confirmed", {"method": "test", "status": "paid"})
    assert (order["email"], order["shipping_address"]) == (guest.email, ADDRESS)
    assert isinstance(order["number"], str)
    assert RFC3339.fullmatch(order["created"])
    assert len(order["access_token"]) >= 32


def test_an_order_s_history(customer: Person, staff: Staff) -> None:
    order = customer.settled(customer.bought({staff.goods(price=1, quantity=1): 1}))
    told = customer.get(f"/orders/{order['id']}/events").ok()
    assert (set(told), told["next"], told["previous"]) == ({"results", "next", "previous"}, None, None)
    assert all(set(event) == {"event", "status", "note", "created"} for event in told["results"])
    assert [event["event"] for event in told["results"]] == [
        "pending",
        "reserved",
        "paying",
        "paid",
        "confirmed",
        "stock_committed",
        "completed",
    ]
    assert {event["status"] for event in told["results"]} == {"pending", "confirmed"}


def test_a_key_is_needed(guest: Person, staff: Staff) -> None:
    sku = staff.goods(price=1, quantity=1)
    body = guest.order(guest.cart_with({sku: 1}))
    guest.post("/orders", body).refused(400, "idempotency_key_required")
    for key in ("", " ", "x" * 256):
        answer = guest.post("/orders", body, headers={"Idempotency-Key": key})
        assert answer.status == 400, (key, answer)
    assert guest.available(sku) == 1


def test_an_answer_is_replayed_byte_for_byte(guest: Person, staff: Staff) -> None:
    sku, key = staff.goods(price=1, quantity=5), str(uuid4())
    cart = guest.cart_with({sku: 1})
    first, again = (guest.checkout(cart, key) for _ in range(2))
    assert (first.status, again.status) == (201, 201)
    assert again.body == first.body
    assert again.headers["Content-Type"] == first.headers["Content-Type"]
    assert (first.headers.get("Idempotent-Replayed"), again.headers["Idempotent-Replayed"]) == (None, "true")
    assert guest.available(sku) == 4
    # The same document in another order of its members is the same request.
    turned = dict(reversed(guest.order(cart).items()))
    assert guest.post("/orders", turned, headers={"Idempotency-Key": key}).body == first.body
    other = guest.checkout(cart, key, email="other@example.com")
    other.refused(422, "idempotency_key_reused")
    assert guest.available(sku) == 4


def test_a_key_is_one_s_own(customer: Person, somebody_else: Person, staff: Staff) -> None:
    sku, key = staff.goods(price=1, quantity=5), str(uuid4())
    orders = [person.checkout(person.cart_with({sku: 1}), key).ok(201)["id"] for person in (customer, somebody_else)]
    assert orders[0] != orders[1]
    assert customer.available(sku) == 3


@pytest.mark.parametrize("token", ["tok_declined", "tok_error", "tok_unknown"])
def test_a_refusal_is_replayed_too(guest: Person, staff: Staff, token: str) -> None:
    sku, key = staff.goods(price=1, quantity=5), str(uuid4())
    cart = guest.cart_with({sku: 1})
    payment = {"method": "test", "token": token}
    first = guest.checkout(cart, key, payment=payment)
    first.refused(402, "payment_declined")
    again = guest.checkout(cart, key, payment=payment)
    assert (again.status, again.body) == (402, first.body)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert guest.available(sku) == 5


def test_refusals_of_the_cart(guest: Person, staff: Staff) -> None:
    sku = staff.goods(price=1, quantity=5)
    guest.checkout(guest.cart_with({})).refused(409, "cart_empty")
    guest.checkout(str(uuid4())).refused(404, "cart_not_found")
    cart = guest.cart_with({sku: 1})
    guest.checkout(cart).ok(201)
    answer = guest.checkout(cart)
    assert answer.status == 409, answer
    assert answer.code in ("cart_already_ordered", "cart_empty"), answer
    assert guest.available(sku) == 4


def test_another_total_than_expected(guest: Person, staff: Staff) -> None:
    sku = staff.goods(price=10, quantity=5)
    cart = guest.cart_with({sku: 1})
    guest.checkout(cart, expected_total={"amount": 11, "currency": "USD"}).refused(409, "total_changed")
    answer = guest.checkout(cart, expected_total={"amount": 10, "currency": "EUR"})
    assert answer.status in (400, 409), answer
    assert guest.available(sku) == 5
    guest.checkout(cart, expected_total={"amount": 10, "currency": "USD"}).ok(201)


def bad(**changes: Any) -> Any:
    """A change of the shipping address."""
    return {"shipping_address": ADDRESS | changes}


def without(*names: str) -> dict[str, Any]:
    return {"shipping_address": {name: value for name, value in ADDRESS.items() if name not in names}}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"cart": 7}, "cart"),
        ({"cart": "x"}, "cart"),
        ({"cart": None}, "cart"),
        ({"email": "x"}, "email"),
        ({"email": 7}, "email"),
        ({"email": "a@b"}, "email"),
        ({"email": "x" * 300 + "@example.com"}, "email"),
        ({"shipping_address": "London"}, "shipping_address"),
        ({"shipping_address": None}, "shipping_address"),
        ({"shipping_address": []}, "shipping_address"),
        (without("name"), "shipping_address.name"),
        (without("line1"), "shipping_address.line1"),
        (without("city"), "shipping_address.city"),
        (without("postal_code"), "shipping_address.postal_code"),
        (without("country"), "shipping_address.country"),
        (bad(country="gb"), "shipping_address.country"),
        (bad(country="Britain"), "shipping_address.country"),
        (bad(country=44), "shipping_address.country"),
        (bad(country="XX"), "shipping_address.country"),
        (bad(name=""), "shipping_address.name"),
        (bad(name="x" * 1000), "shipping_address.name"),
        (bad(line1=7), "shipping_address.line1"),
        (bad(planet="Earth"), "shipping_address.planet"),
        ({"payment": None}, "payment"),
        ({"payment": "test"}, "payment"),
        ({"payment": {}}, "payment.method"),
        ({"payment": {"method": "cash"}}, "payment.method"),
        ({"payment": {"method": "test"}}, "payment.token"),
        ({"payment": {"method": "test", "token": 7}}, "payment.token"),
        ({"payment": {"method": "test", "token": ""}}, "payment.token"),
        ({"payment": {"method": "test", "token": "tok_ok", "cvc": "123"}}, "payment.cvc"),
        ({"expected_total": 100}, "expected_total"),
        ({"expected_total": {"amount": "100", "currency": "USD"}}, "expected_total.amount"),
        ({"expected_total": {"amount": 1.5, "currency": "USD"}}, "expected_total.amount"),
        ({"expected_total": {"amount": -1, "currency": "USD"}}, "expected_total.amount"),
        ({"expected_total": {"amount": 100}}, "expected_total.currency"),
        ({"expected_total": {"amount": 1, "currency": "usd"}}, "expected_total.currency"),
        ({"expected_total": {"amount": 1, "currency": 840}}, "expected_total.currency"),
        ({"coupon": "FREE"}, "coupon"),
    ],
)
def test_a_bad_field_is_named_and_nothing_is_ordered(
    guest: Person, staff: Staff, once: dict[str, str], changes: dict[str, Any], field: str
) -> None:
    if not once:
        sku = staff.goods(price=100, quantity=5)
        once |= {"sku": sku, "cart": guest.cart_with({sku: 1})}
    body = guest.order(once["cart"]) | changes
    guest.post("/orders", body, headers={"Idempotency-Key": str(uuid4())}).refused(400, "invalid", field)
    assert guest.available(once["sku"]) == 5


@pytest.fixture(scope="module")
def once() -> dict[str, str]:
    """A cart that all bad orders share."""
    return {}


@pytest.mark.parametrize("field", ["cart", "email", "shipping_address", "payment"])
def test_a_missing_field_is_named(guest: Person, field: str) -> None:
    body = {name: value for name, value in guest.order(str(uuid4())).items() if name != field}
    guest.post("/orders", body, headers={"Idempotency-Key": str(uuid4())}).refused(400, "invalid", field)


def test_an_invoice_is_for_customers_only(guest: Person, customer: Person, staff: Staff) -> None:
    sku = staff.goods(price=1, quantity=5)
    answer = guest.checkout(guest.cart_with({sku: 1}), payment={"method": "invoice"})
    assert answer.status == 400, answer
    assert [error["field"] for error in answer.data["errors"]] == ["payment.method"]
    order = customer.checkout(customer.cart_with({sku: 1}), payment={"method": "invoice"}).ok(201)
    assert order["payment"] == {"method": "invoice", "status": "due"}


def test_only_staff_move_orders(guest: Person, customer: Person, staff: Staff) -> None:
    order = customer.bought({staff.goods(price=1, quantity=1): 1})
    for step in ("ship", "deliver", "refund", "mark-paid"):
        guest.post(f"/orders/{order['id']}/{step}").refused(401, "not_authenticated")
        customer.post(f"/orders/{order['id']}/{step}").refused(403, "permission_denied")
    staff.post(f"/orders/{uuid4()}/ship").refused(404, "order_not_found")
    staff.post(f"/orders/{order['id']}/mark-paid").refused(409, "invalid_transition")
    assert customer.settled(order)["status"] == "confirmed"


def test_an_order_that_does_not_exist_is_404(guest: Person, customer: Person) -> None:
    for path in ("", "/events"):
        customer.get(f"/orders/{uuid4()}{path}").refused(404, "order_not_found")
        guest.get(f"/orders/{uuid4()}{path}?access_token=x").refused(404, "order_not_found")
    assert customer.get("/orders/1").status == 404
    assert customer.get("/orders/current").status == 404


@pytest.mark.parametrize(
    ("query", "field"),
    [("status=lost", "status"), ("limit=0", "limit"), ("limit=101", "limit"), ("cursor=x", "cursor"), ("q=%00", "q")],
)
def test_a_bad_query_is_400(customer: Person, query: str, field: str) -> None:
    customer.get(f"/orders?{query}").refused(400, "invalid", field)


def test_an_access_token_opens_its_own_order_only(guest: Person, customer: Person, staff: Staff) -> None:
    sku = staff.goods(price=1, quantity=5)
    mine, other = (guest.bought({sku: 1}) for _ in range(2))
    guest.get(f"/orders/{other['id']}?access_token={mine['access_token']}").refused(404, "order_not_found")
    guest.get(f"/orders/{mine['id']}?access_token=").refused(404, "order_not_found")
    assert guest.get(f"/orders/{mine['id']}?access_token=%C3%A9%00").status in (400, 404)
    assert customer.get(f"/orders/{mine['id']}?access_token={mine['access_token']}").ok()["id"] == mine["id"]


def test_a_refund_of_a_part_is_refused(customer: Person, staff: Staff) -> None:
    order = customer.settled(customer.bought({staff.goods(price=200, quantity=1): 1}))
    answer = staff.post(f"/orders/{order['id']}/refund", {"amount": {"amount": 1, "currency": "USD"}})
    assert (answer.status, answer.code) == (400, "invalid")
    assert customer.get(f"/orders/{order['id']}").ok()["payment"]["status"] == "paid"
