"""Each constraint of the database, tried."""

from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from cart.models import Cart, Consumed, Line

pytestmark = pytest.mark.django_db


def refused(constraint: str):
    return pytest.raises(DatabaseError, match=constraint)


@pytest.fixture
def cart(db):
    return Cart.objects.create()


def line(cart, **values):
    return Line.objects.create(**{"cart": cart, "sku": "A", "quantity": 1, "name": "A", "unit_price": 1} | values)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"line_count": 501}, "cart_lines_bounded"),
        ({"line_count": -1}, "cart_cart_line_count_check"),
        ({"version": -1}, "cart_cart_version_check"),
        ({"customer": uuid4()}, "cart_of_a_customer_was_adopted"),
        ({"adopted": "2030-01-01T00:00Z"}, "cart_of_a_customer_was_adopted"),
        ({"checkout_order": uuid4()}, "cart_checkout_whole_or_none"),
        ({"checkout_until": "2030-01-01T00:00Z"}, "cart_checkout_whole_or_none"),
    ],
)
def test_a_cart_is_never_impossible(cart, change, constraint):
    with refused(constraint), transaction.atomic():
        Cart.objects.filter(pk=cart.pk).update(**change)
    before = {name: getattr(cart, name) for name in change}
    cart.refresh_from_db()
    assert {name: getattr(cart, name) for name in change} == before


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"quantity": 0}, "cart_line_quantity_bounded"),
        ({"quantity": 1000}, "cart_line_quantity_bounded"),
        ({"unit_price": -1}, "cart_line_price_not_negative"),
    ],
)
def test_a_line_is_never_impossible(cart, change, constraint):
    with refused(constraint), transaction.atomic():
        line(cart, **change)
    assert not Line.objects.exists()


def test_a_sku_stands_once_in_a_cart_and_case_counts(cart):
    line(cart)
    line(cart, sku="a")
    with refused("cart_line_once_per_sku"), transaction.atomic():
        line(cart, quantity=2)
    assert Line.objects.count() == 2


def test_an_order_takes_its_lines_once(cart):
    order = uuid4()
    Consumed.objects.create(order=order, cart=cart)
    with refused("cart_consumed_pkey"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO cart_consumed (order_id, cart_id) VALUES (%s, %s)", [order, Cart.objects.create().pk]
        )
    assert Consumed.objects.get().cart_id == cart.pk


@pytest.mark.parametrize(
    "make", [lambda: line(Cart(id=uuid4())), lambda: Consumed.objects.create(order=uuid4(), cart_id=uuid4())]
)
def test_lines_and_orders_are_of_a_cart_that_exists(make):
    with pytest.raises((IntegrityError, ValueError)), transaction.atomic():
        make()
        connection.check_constraints()
