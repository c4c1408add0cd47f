from uuid import uuid4

import pytest
from chassis.staff import ensure_owner
from django.test import Client

from cart.domain import checkouts
from cart.models import Cart, Line
from tests.conftest import inside

pytestmark = pytest.mark.django_db
LIST = "/admin/cart/cart/cart/"


@pytest.fixture
def desk(db):
    ensure_owner(email="owner@shop.test", password="a long password")
    client = Client()
    assert client.login(username="owner@shop.test", password="a long password")
    return client


def shown(answer):
    assert answer.status_code == 200
    return {row.pk for row in answer.context["cl"].result_list}


def test_carts_are_found_by_whole_ids(desk, filled):
    me, order = uuid4(), uuid4()
    mine, guests, other = filled(me, A=1), filled(A=1), filled()
    checkouts.begin(id=guests, order=order, customer=None, ttl=60)
    assert shown(desk.get(LIST)) == {mine, guests, other}
    assert shown(desk.get(LIST, {"q": str(mine)})) == {mine}
    assert shown(desk.get(LIST, {"q": f" {me} "})) == {mine}
    assert shown(desk.get(LIST, {"q": str(order)})) == {guests}
    assert shown(desk.get(LIST, {"q": "someone"})) == set()


def test_carts_are_filtered_by_owner_and_state(desk, filled):
    mine, guests, empty = filled(uuid4(), A=1), filled(A=1), filled()
    checkouts.begin(id=guests, order=uuid4(), customer=None, ttl=60)
    for query, expected in (
        ({"owner": "customer"}, {mine}),
        ({"owner": "guest"}, {guests, empty}),
        ({"state": "filled"}, {mine, guests}),
        ({"state": "empty"}, {empty}),
        ({"state": "checkout"}, {guests}),
        ({"created_from": "2020-01-01", "created_to": "2020-01-02"}, set()),
    ):
        assert shown(desk.get(LIST, query)) == expected, query


@pytest.mark.parametrize("carts", [1, 3])
def test_a_list_costs_the_same_however_long(desk, filled, carts, django_assert_num_queries):
    for _ in range(carts):
        filled(A=1, B=1)
    with django_assert_num_queries(4):
        desk.get(LIST)


def test_a_cart_is_looked_at_with_its_lines_as_money_and_not_edited(desk, filled):
    id = filled(uuid4(), A=2)
    page = desk.get(f"{LIST}{id}/change/")
    assert page.status_code == 200
    assert b"Goods A" in page.content
    assert b"2.00 USD" in page.content
    for path in (f"{LIST}add/", f"{LIST}{id}/delete/"):
        assert desk.get(path).status_code == 403
    assert desk.post(f"{LIST}{id}/change/", {"version": 99}).status_code == 403
    assert (inside(id), Cart.objects.count(), Line.objects.count()) == ({"A": 2}, 1, 1)
