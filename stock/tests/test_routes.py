"""routes.toml: every route as everybody, by real calls."""

import uuid

import pytest
from chassis.testing import routes

from stock.domain import reservations

pytestmark = pytest.mark.django_db
TABLE = routes.rules()


@pytest.fixture
def world(callers, shelf, hold):
    shelf(A=10)
    sold = hold(A=1).id
    reservations.commit(id=sold)
    values = {"sku": "A", "id": str(hold(A=1).id), "sold": str(sold), "unused": str(uuid.uuid4())}
    return routes.World(callers(), values)


def test_no_route_is_missing():
    assert set(routes.in_urls()[0]) == set(TABLE)


@pytest.mark.parametrize("route", TABLE)
def test_each_caller_gets_what_the_table_says(route, world):
    routes.prove(route, TABLE[route], world)


def test_no_token_opens_the_admin(world):
    assert routes.prove_admin(world) > 100
