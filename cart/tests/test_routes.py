"""routes.toml: every route as everybody, by real calls."""

import uuid

import pytest
from chassis.testing import routes

pytestmark = pytest.mark.django_db
TABLE = routes.rules()


@pytest.fixture
def world(callers, filled):
    owner = uuid.uuid4()
    values = {"id": str(filled(owner, A=2)), "sku": "A", "order": str(uuid.uuid4()), "owner": str(owner)}
    return routes.World(callers(str(owner)), values)


def test_no_route_is_missing():
    assert set(routes.in_urls()[0]) == set(TABLE)


@pytest.mark.parametrize("route", TABLE)
def test_each_caller_gets_what_the_table_says(route, world):
    routes.prove(route, TABLE[route], world)


def test_no_token_opens_the_admin(world):
    assert routes.prove_admin(world) > 100
