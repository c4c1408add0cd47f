from uuid import UUID, uuid4

import pytest

from cart.models import Cart, Line
from tests.conftest import inside, version_of

pytestmark = pytest.mark.django_db
CARTS = "/api/v1/carts"


def usd(amount):
    return {"amount": amount, "currency": "USD"}


def test_a_guest_fills_a_cart(api, shop):
    opened = api.post(CARTS)
    assert opened.status_code == 201
    id = opened.json()["id"]
    assert opened.json() == {"id": id, "lines": [], "total": usd(0), "version": 0}
    assert UUID(id).version == 4
    assert shop.calls == []
    api.put(f"{CARTS}/{id}/lines/A", {"quantity": 2})
    answer = api.put(f"{CARTS}/{id}/lines/B", {"quantity": 99})
    assert answer.status_code == 200
    line = {"sku": "A", "name": "Goods A", "quantity": 2, "unit_price": usd(100), "previous_unit_price": None}
    assert answer.json() == {
        "id": id,
        "lines": [
            line | {"line_total": usd(200), "available": 10},
            line
            | {"sku": "B", "name": "Goods B", "quantity": 99, "unit_price": usd(250)}
            | {"line_total": usd(24750), "available": 10},
        ],
        "total": usd(24950),
        "version": 2,
    }
    assert api.get(f"{CARTS}/{id}").json() == answer.json()
    assert inside(id) == {"A": 2, "B": 99}


def test_a_line_is_set_not_added_to_and_the_same_again_is_no_change(api, shop, filled):
    id = filled(A=2, B=1)
    assert api.put(f"{CARTS}/{id}/lines/A", {"quantity": 5}).json()["version"] == 3
    again = api.put(f"{CARTS}/{id}/lines/A", {"quantity": 5}).json()
    assert [(line["sku"], line["quantity"]) for line in again["lines"]] == [("A", 5), ("B", 1)]
    assert (again["version"], version_of(id)) == (3, 3)
    assert inside(id) == {"A": 5, "B": 1}


def test_a_line_is_taken_out_once(api, shop, filled):
    id = filled(A=2, B=1)
    answer = api.delete(f"{CARTS}/{id}/lines/A")
    assert answer.status_code == 200
    assert [line["sku"] for line in answer.json()["lines"]] == ["B"]
    assert (answer.json()["total"], answer.json()["version"]) == (usd(250), 3)
    again = api.delete(f"{CARTS}/{id}/lines/A")
    assert (again.status_code, again.json()) == (200, answer.json())
    assert inside(id) == {"B": 1}


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "quantity", "required"),
        ({"quantity": 0}, "quantity", "min_value"),
        ({"quantity": -1}, "quantity", "min_value"),
        ({"quantity": 1000}, "quantity", "max_value"),
        ({"quantity": "1"}, "quantity", "invalid"),
        ({"quantity": 1.5}, "quantity", "invalid"),
        ({"quantity": True}, "quantity", "invalid"),
        ({"quantity": None}, "quantity", "null"),
        ({"quantity": 1, "price": 1}, "price", "unknown"),
    ],
)
def test_a_quantity_is_1_to_999(api, filled, body, field, code):
    id = filled(A=2)
    answer = api.put(f"{CARTS}/{id}/lines/A", body)
    assert answer.status_code == 400
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [(field, code)]
    assert (inside(id), version_of(id)) == ({"A": 2}, 1)


@pytest.mark.parametrize("sku", ["nope", "DRAFT", "me", "metrics"])
def test_goods_that_are_not_sold_are_404(api, shop, filled, sku):
    shop.sell("DRAFT", 100, sellable=False)
    id = filled(A=2)
    answer = api.put(f"{CARTS}/{id}/lines/{sku}", {"quantity": 1})
    assert (answer.status_code, answer.json()["code"]) == (404, "product_not_found")
    assert (inside(id), version_of(id)) == ({"A": 2}, 1)


def test_goods_in_another_currency_are_refused(api, shop, filled):
    shop.sell("E", 100, currency="EUR")
    id = filled()
    answer = api.put(f"{CARTS}/{id}/lines/E", {"quantity": 1})
    assert (answer.status_code, answer.json()["code"]) == (409, "currency_mismatch")
    assert inside(id) == {}


@pytest.mark.django_db(transaction=True)
def test_a_cart_holds_500_lines(api, shop, filled):
    id = filled(A=1)
    Line.objects.bulk_create(Line(cart_id=id, sku=f"S{n}", quantity=1, name="x", unit_price=1) for n in range(499))
    Cart.objects.filter(pk=id).update(line_count=500)
    answer = api.put(f"{CARTS}/{id}/lines/B", {"quantity": 1})
    assert (answer.status_code, answer.json()["code"]) == (409, "cart_full")
    assert len(inside(id)) == 500
    assert version_of(id) == 1
    assert api.put(f"{CARTS}/{id}/lines/A", {"quantity": 7}).status_code == 200
    assert inside(id)["A"] == 7


def test_a_price_that_changed_shows_until_the_line_is_set_again(api, shop, filled):
    id = filled(A=2, B=1)
    shop.sell("A", 120)

    def first(answer):
        line = answer.json()["lines"][0]
        return line["unit_price"], line["previous_unit_price"], line["line_total"], answer.json()["total"]

    changed = (usd(120), usd(100), usd(240), usd(490))
    assert first(api.get(f"{CARTS}/{id}")) == changed
    assert first(api.get(f"{CARTS}/{id}")) == changed, "reading has no effect"
    assert first(api.put(f"{CARTS}/{id}/lines/B", {"quantity": 1})) == changed, "nor has another line"
    assert first(api.put(f"{CARTS}/{id}/lines/A", {"quantity": 2})) == changed, "told once more to whoever sets it"
    assert first(api.get(f"{CARTS}/{id}")) == (usd(120), None, usd(240), usd(490))
    assert version_of(id) == 2


@pytest.mark.parametrize("how", ["archived", "gone", "another currency"])
def test_goods_that_are_no_longer_sold_stay_visible(api, shop, filled, how):
    id = filled(A=2, B=1)
    shop.sell("A", 999, sellable=how != "archived", currency="EUR" if how == "another currency" else "USD")
    if how == "gone":
        del shop.goods["A"]
    line = api.get(f"{CARTS}/{id}").json()["lines"][0]
    assert line == {
        "sku": "A",
        "name": "Goods A",
        "quantity": 2,
        "unit_price": usd(100),
        "previous_unit_price": None,
        "line_total": usd(200),
        "available": 0,
    }
    assert api.delete(f"{CARTS}/{id}/lines/A").json()["total"] == usd(250)


def test_availability_may_be_less_than_asked_for(api, shop, filled):
    id = filled(A=50)
    shop.shelf["A"] = 0
    line = api.get(f"{CARTS}/{id}").json()["lines"][0]
    assert (line["quantity"], line["available"]) == (50, 0)


def test_deleting_a_cart(api, shop, filled):
    id, other = filled(A=1), filled(B=1)
    assert api.delete(f"{CARTS}/{id}").status_code == 204
    for answer in (
        api.get(f"{CARTS}/{id}"),
        api.delete(f"{CARTS}/{id}"),
        api.put(f"{CARTS}/{id}/lines/A", {"quantity": 1}),
        api.delete(f"{CARTS}/{id}/lines/A"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "cart_not_found")
    assert not Line.objects.filter(cart=id).exists()
    assert inside(other) == {"B": 1}


def test_a_customers_cart_is_that_customers_alone(api, shop, filled, as_customer, as_staff):
    me = uuid4()
    id = filled(me, A=1)
    assert api.get(f"{CARTS}/{id}", as_customer(str(me))).status_code == 200
    for headers in ({}, as_customer(), as_staff()):
        for answer in (
            api.get(f"{CARTS}/{id}", headers),
            api.put(f"{CARTS}/{id}/lines/A", {"quantity": 9}, headers),
            api.delete(f"{CARTS}/{id}/lines/A", headers),
            api.delete(f"{CARTS}/{id}", headers),
        ):
            assert (answer.status_code, answer.json()["code"]) == (404, "cart_not_found")
    assert (inside(id), version_of(id)) == ({"A": 1}, 1)


def test_a_guests_cart_is_open_to_whoever_knows_its_id(api, shop, filled, as_customer):
    id = filled(A=1)
    assert api.put(f"{CARTS}/{id}/lines/A", {"quantity": 3}, as_customer()).status_code == 200
    assert inside(id) == {"A": 3}
    assert Cart.objects.get(pk=id).customer is None


def test_the_current_cart_is_the_newest_and_made_when_there_is_none(api, shop, as_customer):
    me = as_customer(str(uuid4()))
    made = api.get(f"{CARTS}/current", me).json()
    assert api.get(f"{CARTS}/current", me).json() == made
    assert Cart.objects.count() == 1
    opened = api.post(CARTS, headers=me).json()
    assert opened["id"] != made["id"]
    assert api.get(f"{CARTS}/current", me).json() == opened
    assert api.get(f"{CARTS}/current", as_customer()).json()["id"] not in (made["id"], opened["id"])
    assert api.get(f"{CARTS}/current").status_code == 401


@pytest.mark.parametrize("path", ["/not-a-uuid", f"/{uuid4()}/lines", f"/{uuid4()}/lines/a%20b", f"/{uuid4()}/x"])
def test_what_is_no_address_is_404(api, path):
    answer = api.get(CARTS + path)
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b'{"lines": []}'])
def test_opening_takes_an_empty_body(api, body):
    answer = api.post(CARTS, body)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert not Cart.objects.exists()
    assert api.post(CARTS, b"{}").status_code == 201


def test_a_token_that_does_not_hold_opens_no_guest_cart(api):
    assert api.post(CARTS, headers={"Authorization": "Bearer x"}).status_code == 401
    assert not Cart.objects.exists()
