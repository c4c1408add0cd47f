from uuid import uuid4

import pytest

from cart.domain import checkouts
from cart.models import Cart, Line
from tests.conftest import inside, version_of

pytestmark = pytest.mark.django_db
CARTS = "/api/v1/carts"


@pytest.fixture
def me():
    return uuid4()


@pytest.fixture
def mine(as_customer, me):
    return as_customer(str(me))


def current(api, headers):
    return api.get(f"{CARTS}/current", headers).json()["id"]


def test_a_guests_cart_becomes_mine(api, filled, me, mine):
    id = filled(A=2)
    answer = api.post(f"{CARTS}/{id}/claim", headers=mine)
    assert answer.status_code == 200
    assert (answer.json()["id"], answer.json()["version"]) == (str(id), 1)
    assert [(line["sku"], line["quantity"]) for line in answer.json()["lines"]] == [("A", 2)]
    assert Cart.objects.get(pk=id).customer == me
    assert api.get(f"{CARTS}/{id}").status_code == 404
    assert current(api, mine) == str(id)


def test_the_lines_i_had_move_into_it_and_add_up(api, shop, filled, me, mine):
    shop.sell("C", 5)
    former, id = filled(me, A=2, B=3), filled(B=4, C=1)
    answer = api.post(f"{CARTS}/{id}/claim", headers=mine).json()
    assert {line["sku"]: line["quantity"] for line in answer["lines"]} == {"A": 2, "B": 7, "C": 1}
    assert inside(id) == {"A": 2, "B": 7, "C": 1}
    assert (inside(former), version_of(former), version_of(id)) == ({}, 3, 3)
    assert current(api, mine) == str(id)
    assert Cart.objects.get(pk=former).customer == me


def test_claiming_again_changes_nothing(api, filled, me, mine):
    filled(me, A=2)
    id = filled(A=1)
    first, again = (api.post(f"{CARTS}/{id}/claim", headers=mine) for _ in range(2))
    assert (again.status_code, again.json()) == (200, first.json())
    assert (inside(id), version_of(id)) == ({"A": 3}, 3 - 1)


def test_a_late_repeat_does_not_undo_what_came_after(api, filled, me, mine):
    id = filled(A=1)
    api.post(f"{CARTS}/{id}/claim", headers=mine)
    newer = filled(me, B=1)
    assert api.post(f"{CARTS}/{id}/claim", headers=mine).status_code == 200
    assert (inside(id), inside(newer)) == ({"A": 1}, {"B": 1})
    assert current(api, mine) == str(newer)


def test_quantities_add_up_to_999_at_most(api, filled, me, mine):
    filled(me, A=600)
    id = filled(A=600)
    assert api.post(f"{CARTS}/{id}/claim", headers=mine).json()["lines"][0]["quantity"] == 999
    assert inside(id) == {"A": 999}


def test_two_carts_that_are_too_much_for_one_stay_as_they_are(api, filled, me, mine):
    former, id = filled(me), filled()
    for cart, word in ((former, "F"), (id, "G")):
        rows = (Line(cart_id=cart, sku=f"{word}{n}", quantity=1, name="x", unit_price=1) for n in range(300))
        Line.objects.bulk_create(rows)
        Cart.objects.filter(pk=cart).update(line_count=300)
    answer = api.post(f"{CARTS}/{id}/claim", headers=mine)
    assert (answer.status_code, answer.json()["code"]) == (409, "cart_full")
    assert (len(inside(former)), len(inside(id))) == (300, 300)
    assert Cart.objects.get(pk=id).customer is None
    assert current(api, mine) == str(former)


def test_what_is_not_a_guests_cannot_be_claimed(api, filled, me, mine):
    hers, former = filled(uuid4(), A=1), filled(me, B=1)
    for id in (hers, uuid4()):
        answer = api.post(f"{CARTS}/{id}/claim", headers=mine)
        assert (answer.status_code, answer.json()["code"]) == (404, "cart_not_found")
    assert (inside(hers), inside(former)) == ({"A": 1}, {"B": 1})
    assert current(api, mine) == str(former)


def test_only_who_is_signed_in_claims(api, filled, as_service):
    id = filled(A=1)
    assert api.post(f"{CARTS}/{id}/claim").status_code == 401
    assert api.post(f"{CARTS}/{id}/claim", headers=as_service("orders")).status_code == 403
    assert Cart.objects.get(pk=id).customer is None


@pytest.mark.parametrize("which", ["the guest's", "mine"])
def test_no_claim_while_an_order_is_made_of_either_cart(api, filled, me, mine, which):
    former, id = filled(me, A=1), filled(B=1)
    busy, order = (id, uuid4()) if which == "the guest's" else (former, uuid4())
    checkouts.begin(id=busy, order=order, customer=me, ttl=60)
    answer = api.post(f"{CARTS}/{id}/claim", headers=mine)
    assert (answer.status_code, answer.json()["code"]) == (409, "checkout_in_progress")
    assert (inside(former), inside(id)) == ({"A": 1}, {"B": 1})
    assert Cart.objects.get(pk=id).customer is None
    checkouts.end(id=busy, order=order)
    assert api.post(f"{CARTS}/{id}/claim", headers=mine).status_code == 200
    assert inside(id) == {"A": 1, "B": 1}
