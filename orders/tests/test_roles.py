"""Who may see and do what in the admin."""

import pytest

from orders.models import Order, OrderEvent, State
from tests.conftest import ADDRESS

pytestmark = pytest.mark.django_db
LIST = "/admin/orders/orders/order/"
ACTIONS = ("mark_shipped", "mark_delivered", "cancel_orders", "refund_orders", "mark_paid")


@pytest.fixture
def order(shop, buy):
    return Order.objects.get(pk=buy(shop.cart(A=1)).json()["id"])


def act(desk, action, order):
    desk.post(LIST, {"action": action, "_selected_action": [str(order.pk)], "sure": "yes"})
    order.refresh_from_db()
    return order.state


@pytest.mark.parametrize(
    ("role", "status"), [("owner", 200), ("orders", 200), ("support", 200), ("catalogue", 403), ("warehouse", 403)]
)
def test_who_sees_orders(at_desk, order, role, status):
    desk = at_desk(role)
    pages = [desk.get(LIST), desk.get(f"{LIST}{order.pk}/change/")]
    assert [page.status_code for page in pages] == [status] * 2
    assert (ADDRESS["line1"].encode() in pages[1].content) is (status == 200)


@pytest.mark.parametrize("role", ["owner", "orders"])
def test_who_works_with_orders_ships_and_refunds(at_desk, order, role):
    desk = at_desk(role)
    assert act(desk, "mark_shipped", order) == State.SHIPPED
    assert act(desk, "refund_orders", order) == State.REFUNDED


@pytest.mark.parametrize("role", ["support", "catalogue", "warehouse"])
def test_nobody_else_does(at_desk, order, role):
    desk, events = at_desk(role), OrderEvent.objects.count()
    assert {act(desk, action, order) for action in ACTIONS} == {State.COMPLETED}
    assert OrderEvent.objects.count() == events
