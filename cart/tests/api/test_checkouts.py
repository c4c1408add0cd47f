from uuid import uuid4

import pytest
from django.db import connection

from cart.domain import checkouts
from cart.models import Cart, Consumed
from tests.conftest import inside, version_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def orders(as_service):
    return as_service("orders")


def checkout(id, order):
    return f"/internal/carts/{id}/checkouts/{order}"


def under_way(id):
    return Cart.objects.values_list("checkout_order", flat=True).get(pk=id)


def test_a_checkout_begins_with_what_is_in_the_cart(api, filled, orders):
    id, order = filled(A=2, B=1), uuid4()
    body = {"customer": None, "ttl": 60}
    answer = api.put(checkout(id, order), body, orders)
    lines = [{"sku": "A", "quantity": 2}, {"sku": "B", "quantity": 1}]
    assert (answer.status_code, answer.json()) == (200, {"id": str(id), "version": 2, "lines": lines})
    assert api.put(checkout(id, order), body, orders).json() == answer.json()
    assert under_way(id) == order
    assert api.put(f"/api/v1/carts/{id}/lines/A", {"quantity": 3}).status_code == 200, "lines may still change"


def test_one_order_at_a_time(api, filled, orders):
    id, first, second = filled(A=1), uuid4(), uuid4()
    body = {"customer": None, "ttl": 60}
    api.put(checkout(id, first), body, orders)
    answer = api.put(checkout(id, second), body, orders)
    assert (answer.status_code, answer.json()["code"]) == (409, "checkout_in_progress")
    assert under_way(id) == first
    assert api.delete(checkout(id, second), headers=orders).status_code == 204
    assert under_way(id) == first, "only its own checkout is ended"
    assert [api.delete(checkout(id, first), headers=orders).status_code for _ in range(2)] == [204, 204]
    assert under_way(id) is None
    assert api.put(checkout(id, second), body, orders).status_code == 200
    assert api.delete(checkout(uuid4(), second), headers=orders).status_code == 204


def test_a_checkout_whose_time_is_over_counts_no_more(api, filled, orders):
    id, first, second = filled(A=1), uuid4(), uuid4()
    checkouts.begin(id=id, order=first, customer=None, ttl=60)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cart_cart SET checkout_until = now() - interval '1 second' WHERE id = %s", [id])
    assert api.put(checkout(id, second), {"customer": None, "ttl": 60}, orders).status_code == 200
    assert under_way(id) == second


def test_repeating_sets_the_time_anew(api, filled, orders):
    id, order = filled(A=1), uuid4()
    for ttl in (60, 900):
        api.put(checkout(id, order), {"customer": None, "ttl": ttl}, orders)
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM checkout_until - now()) FROM cart_cart WHERE id = %s", [id])
        assert 890 < cursor.fetchone()[0] <= 900


def test_whose_cart_it_may_be(api, filled, orders):
    me = uuid4()
    mine, guests = filled(me, A=1), filled(A=1)

    def status(id, customer):
        answer = api.put(checkout(id, uuid4()), {"customer": customer, "ttl": 60}, orders)
        return answer.status_code if answer.status_code == 200 else answer.json()["code"]

    assert status(mine, None) == status(mine, str(uuid4())) == status(uuid4(), None) == "cart_not_found"
    assert under_way(mine) is None
    assert status(mine, str(me)) == status(guests, str(me)) == 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"ttl": 0}, "ttl"),
        ({"ttl": "60"}, "ttl"),
        ({"ttl": 10**9}, "ttl"),
        ({"customer": 5}, "customer"),
        ({"customer": "x"}, "customer"),
        ({"more": 1}, "more"),
    ],
)
def test_a_checkout_that_makes_no_sense_is_400(api, filled, orders, change, field):
    id = filled(A=1)
    answer = api.put(checkout(id, uuid4()), {"customer": None, "ttl": 60} | change, orders)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert under_way(id) is None


def consume(api, headers, id, order, **lines):
    body = {"order": str(order), "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines.items()]}
    return api.post(f"/internal/carts/{id}/consume", body, headers)


def test_what_was_ordered_leaves_the_cart_once(api, shop, filled, orders):
    shop.sell("C", 5)
    id, order = filled(A=2, B=5), uuid4()
    checkouts.begin(id=id, order=order, customer=None, ttl=60)
    api.put(f"/api/v1/carts/{id}/lines/B", {"quantity": 6})
    api.put(f"/api/v1/carts/{id}/lines/C", {"quantity": 1})
    for _ in range(2):
        assert consume(api, orders, id, order, A=2, B=5, Z=1).status_code == 200
        assert (inside(id), version_of(id)) == ({"B": 1, "C": 1}, 5)
    assert under_way(id) is None
    assert list(Consumed.objects.values_list("order", "cart")) == [(order, id)]
    late = api.put(checkout(id, order), {"customer": None, "ttl": 60}, orders)
    assert (late.status_code, late.json()["code"]) == (409, "cart_already_ordered")
    assert under_way(id) is None


def consume_all(api, headers, *bought):
    orders = [
        {"order": str(order), "cart": str(id), "lines": [{"sku": sku, "quantity": n} for sku, n in lines.items()]}
        for order, id, lines in bought
    ]
    return api.post("/internal/carts/consume", {"orders": orders}, headers)


def test_what_several_orders_bought_leaves_their_carts_once(api, filled, orders, django_assert_num_queries):
    one, two, other = filled(A=2, B=5), filled(A=3), filled(A=1)
    bought = [(uuid4(), two, {"A": 1}), (uuid4(), one, {"A": 2, "B": 4}), (uuid4(), uuid4(), {"A": 1})]
    for order, id, _ in bought[:2]:
        checkouts.begin(id=id, order=order, customer=None, ttl=60)
    for _ in range(2):
        with django_assert_num_queries(1):
            assert consume_all(api, orders, *bought).status_code == 200
        assert [inside(id) for id in (one, two, other)] == [{"B": 1}, {"A": 2}, {"A": 1}]
    assert [Cart.objects.get(pk=id).line_count for id in (one, two, other)] == [1, 1, 1]
    assert [under_way(id) for id in (one, two)] == [None, None]
    assert consume(api, orders, one, bought[1][0], B=1).status_code == 200
    assert inside(one) == {"B": 1}


def test_two_orders_of_one_cart_are_not_taken_together(api, filled, orders):
    id = filled(A=5)
    answer = consume_all(api, orders, (uuid4(), id, {"A": 1}), (uuid4(), id, {"A": 1}))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "orders")
    assert inside(id) == {"A": 5}


def test_never_below_zero(api, filled, orders):
    id = filled(A=2, B=1)
    assert consume(api, orders, id, uuid4(), A=5).status_code == 200
    assert inside(id) == {"B": 1}


def test_lines_of_one_sku_are_added_up(api, filled, orders):
    id = filled(A=5)
    lines = [{"sku": "A", "quantity": 1}, {"sku": "A", "quantity": 2}]
    body = {"order": str(uuid4()), "lines": lines}
    assert api.post(f"/internal/carts/{id}/consume", body, orders).status_code == 200
    assert inside(id) == {"A": 2}


def test_consuming_leaves_another_orders_checkout_alone(api, filled, orders):
    id, other = filled(A=5), uuid4()
    checkouts.begin(id=id, order=other, customer=None, ttl=60)
    consume(api, orders, id, uuid4(), A=1)
    assert (under_way(id), inside(id)) == (other, {"A": 4})


def test_a_cart_that_is_gone_has_nothing_to_take(api, shop, orders):
    assert consume(api, orders, uuid4(), uuid4(), A=1).status_code == 200
    assert not Consumed.objects.exists()


def test_a_cart_that_was_ordered_can_be_deleted(api, filled, orders):
    id = filled(A=1)
    consume(api, orders, id, uuid4(), A=1)
    assert api.delete(f"/api/v1/carts/{id}").status_code == 204
    assert not Consumed.objects.exists()


def test_only_orders_may(api, filled, as_customer, as_staff, as_service):
    id = filled(A=1)
    callers = ({}, as_customer(), as_staff(), as_service("products"))
    body = {"customer": None, "ttl": 60}
    assert [api.put(checkout(id, uuid4()), body, who).status_code for who in callers] == [401, 403, 403, 403]
    assert [consume(api, who, id, uuid4(), A=1).status_code for who in callers] == [401, 403, 403, 403]
    assert [consume_all(api, who, (uuid4(), id, {"A": 1})).status_code for who in callers] == [401, 403, 403, 403]
    assert [api.delete(checkout(id, uuid4()), headers=who).status_code for who in callers] == [401, 403, 403, 403]
    assert (inside(id), under_way(id)) == ({"A": 1}, None)
