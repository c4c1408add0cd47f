"""Every statement of a cart's life can be answered by an index."""

from uuid import uuid4

import pytest
from chassis.testing.plans import needless_indexes, without_scans
from django.db import connection

from cart.domain import carts

pytestmark = pytest.mark.django_db
CARTS = "/api/v1/carts"


def test_a_guests_cart(api, shop, filled, as_service):
    id, order, orders = filled(A=1), uuid4(), as_service("orders")
    internal = f"/internal/carts/{id}"
    with without_scans():
        assert api.put(f"{CARTS}/{id}/lines/B", {"quantity": 2}).status_code == 200
        assert api.get(f"{CARTS}/{id}").status_code == 200
        assert api.delete(f"{CARTS}/{id}/lines/A").status_code == 200
        begun = api.put(f"{internal}/checkouts/{order}", {"customer": None, "ttl": 900}, orders)
        assert begun.status_code == 200, begun.content
        body = {"order": str(order), "lines": [{"sku": "B", "quantity": 2}]}
        assert api.post(f"{internal}/consume", body, orders).status_code == 200
        assert api.post("/internal/carts/consume", {"orders": [body | {"cart": str(id)}]}, orders).status_code == 200


def test_a_customers_cart(api, shop, filled, as_customer):
    first, second, me = filled(A=1), filled(A=1, B=1), as_customer()
    with without_scans():
        for id in (first, second):
            assert api.post(f"{CARTS}/{id}/claim", headers=me).status_code == 200
        assert api.get(f"{CARTS}/current", headers=me).json()["id"] == str(second)
        assert api.delete(f"{CARTS}/{second}", headers=me).status_code == 204


def test_carts_that_nobody_wants_any_more(filled, shop):
    filled(A=1)
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX cart_newest")  # which would do, and have customers' carts read, too
    with without_scans():
        assert carts.forget_old(days=-1) == 1


def test_a_change_of_a_cart_is_one_of_its_row_alone(api, shop, filled, as_service):
    """No index holds what is changed: https://www.postgresql.org/docs/18/storage-hot.html"""
    id, order, orders = filled(A=1), uuid4(), as_service("orders")
    changed, alone = updates()
    api.put(f"{CARTS}/{id}/lines/B", {"quantity": 2})
    api.put(f"/internal/carts/{id}/checkouts/{order}", {"customer": None, "ttl": 900}, orders)
    body = {"order": str(order), "lines": [{"sku": "B", "quantity": 2}]}
    api.post(f"/internal/carts/{id}/consume", body, orders)
    assert updates() == (changed + 3, alone + 3)


def updates():
    """Of carts, so far: all, and those of the row alone."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_xact_user_tables WHERE relname = 'cart_cart'")
        return cursor.fetchone()


def test_no_index_is_the_beginning_of_another():
    assert needless_indexes() == set()
