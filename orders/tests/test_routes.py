"""routes.toml: every route as everybody, by real calls."""

import uuid

import pytest
from chassis.testing import routes

pytestmark = pytest.mark.django_db
TABLE = routes.rules()


@pytest.fixture
def world(callers, shop, buy, api, as_customer, as_staff):
    shop.fill(quantity=1000, A=250)
    owner = str(uuid.uuid4())
    me = as_customer(owner)

    def order(**how):
        answer = buy(shop.cart(A=1), headers=me, **how)
        assert answer.status_code == 201, answer.content
        return answer.json()["id"]

    shipped = order()
    assert api.post(f"/api/v1/orders/{shipped}/ship", headers=as_staff("orders")).status_code == 200
    values = {"id": order(), "shipped": shipped, "invoice": order(method="invoice"), "fresh": order}
    return routes.World(callers(owner), values | {"cart": lambda: shop.cart(A=1)})


def test_no_route_is_missing():
    assert set(routes.in_urls()[0]) == set(TABLE)


@pytest.mark.parametrize("route", TABLE)
def test_each_caller_gets_what_the_table_says(route, world):
    routes.prove(route, TABLE[route], world)


def test_no_token_opens_the_admin(world):
    assert routes.prove_admin(world) > 100
