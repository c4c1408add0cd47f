"""Every statement of a sale can be answered by an index."""

from uuid import uuid4

import pytest
from chassis.testing.plans import needless_indexes, without_scans

from stock.domain import reservations

pytestmark = pytest.mark.django_db
STOCK = "/api/v1/stock"


def test_reading(api, shelf, as_service):
    shelf(A=5, B=2)
    with without_scans():
        assert api.get(f"{STOCK}/A").json()["available"] == 5
        assert len(api.get(f"{STOCK}?sku=A&sku=B").json()["results"]) == 2
        answer = api.post("/internal/availability", {"skus": ["A", "B"]}, as_service("cart"))
    assert answer.status_code == 200


def test_a_reservation_from_first_to_last(api, shelf, as_service):
    shelf(A=5, B=2)
    orders, lines = as_service("orders"), [{"sku": "A", "quantity": 2}, {"sku": "B", "quantity": 1}]
    path = f"{STOCK}/reservations/{uuid4()}"
    with without_scans():
        assert api.put(path, {"lines": lines, "ttl": 900}, orders).status_code == 201
        assert api.put(path, {"lines": lines, "ttl": 900}, orders).status_code == 200
        assert api.post(f"{path}/commit", headers=orders).status_code == 200
        assert api.post(f"{path}/return", headers=orders).status_code == 200
        assert api.post("/internal/reservations/commit", {"ids": [path[-36:]]}, orders).status_code == 200
        assert api.post(f"{STOCK}/reservations/{uuid4()}/release", headers=orders).status_code == 200


def test_what_has_expired(shelf, hold):
    shelf(A=5)
    hold(A=2, ttl=0)
    with without_scans():
        reservations.expire()


def test_no_index_is_the_beginning_of_another():
    assert needless_indexes() == set()
