"""Every statement of an order's life can be answered by an index."""

import pytest
from chassis.testing.plans import needless_indexes, without_scans

from orders.domain import completion, leases, mail
from orders.models import Order

pytestmark = pytest.mark.django_db
ORDERS = "/api/v1/orders"


def test_a_checkout_and_its_repetition(shop, buy, as_customer):
    me = as_customer()
    cart = shop.cart(A=2, B=1)
    with without_scans():
        assert buy(cart, key="k", headers=me).status_code == 201
        assert buy(cart, key="k", headers=me)["Idempotent-Replayed"] == "true"
        assert buy(cart, headers=me).status_code == 409
        leases.wait_for_rest(Order.objects.filter(cart=cart))


def test_reading(api, shop, buy, as_customer, as_staff):
    me, order = as_customer(), buy(shop.cart(A=1))
    assert buy(shop.cart(B=1), headers=me).status_code == 201
    with without_scans():
        assert api.get(order["Location"]).status_code == 200
        assert api.get(order["Location"].replace("?", "/events?")).status_code == 200
        assert len(api.get(ORDERS, headers=me).json()["results"]) == 1
        assert len(api.get(f"{ORDERS}?status=confirmed&limit=1", headers=as_staff("orders")).json()["results"]) == 1


def test_cancelling_and_what_the_worker_does(api, shop, buy):
    order = buy(shop.cart(A=1))
    with without_scans():
        assert api.post(order["Location"].replace("?", "/cancel?")).status_code == 200
        completion.go_on()
        assert mail.send_due() == 2
    assert Order.objects.get().state == "refunded"


def test_no_index_is_the_beginning_of_another():
    assert needless_indexes() == set()
