"""Who may see and do what in the admin."""

import pytest

from stock.domain import levels
from stock.models import Level
from tests.conftest import state_of

pytestmark = pytest.mark.django_db
LIST = "/admin/stock/stock/level/"
LEVEL = f"{LIST}A/"
LISTS = ("level", "movement", "reservation")
WHY = {"quantity": 3, "reason": "a count"}


@pytest.mark.parametrize(
    ("role", "status"), [("owner", 200), ("warehouse", 200), ("catalogue", 200), ("orders", 200), ("support", 403)]
)
def test_who_sees_the_lists(at_desk, shelf, role, status):
    shelf(A=5)
    desk = at_desk(role)
    assert {desk.get(f"/admin/stock/stock/{name}/").status_code for name in LISTS} == {status}
    assert desk.get(f"{LEVEL}change/").status_code == status


@pytest.mark.parametrize("role", ["owner", "warehouse"])
def test_who_works_in_the_warehouse_books_goods(at_desk, shelf, role):
    shelf(A=5)
    desk = at_desk(role)
    for action in ("receive", "adjust"):
        assert desk.post(f"{LEVEL}{action}/", WHY).status_code == 302
    assert state_of("A") == (11, 0)
    assert desk.post(f"{LEVEL}change/", {"reorder_point": 4}).status_code == 302
    assert Level.objects.get(pk="A").reorder_point == 4


@pytest.mark.parametrize("role", ["catalogue", "orders", "support"])
def test_nobody_else_does(at_desk, shelf, role):
    shelf(A=5)
    desk = at_desk(role)
    for action in ("receive", "adjust"):
        assert desk.get(f"{LEVEL}{action}/").status_code == 403
        assert desk.post(f"{LEVEL}{action}/", WHY).status_code == 403
    assert desk.post(f"{LIST}receive/", WHY | {"sku": "B"}).status_code == 403
    assert b"Receive a new SKU" not in desk.get(LIST).content
    assert desk.post(f"{LEVEL}change/", {"reorder_point": 4}).status_code == 403
    assert state_of("A") == (5, 0)
    assert Level.objects.get(pk="A").reorder_point is None
    assert [row.actor for row in levels.Movement.objects.all()] == ["test"]


def test_only_an_owner_sees_accounts(at_desk):
    assert at_desk("owner").get("/admin/stock/auth/user/").status_code == 200
    assert at_desk("warehouse").get("/admin/stock/auth/user/").status_code == 403
