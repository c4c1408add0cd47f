"""The warehouse's desk, page by page."""

import pytest

from stock.models import Level, Movement
from tests.conftest import state_of

pytestmark = pytest.mark.django_db
LEVELS = "/admin/stock/stock/level/"
WHY = {"quantity": 3, "reason": "a count"}


@pytest.fixture
def desk(at_desk):
    return at_desk("warehouse")


def test_an_adjustment_by_nothing_is_refused_beside_its_field(desk, shelf):
    shelf(A=5)
    answer = desk.post(f"{LEVELS}A/adjust/", {"quantity": 0, "reason": "a count"})
    assert answer.status_code == 200
    assert answer.context["form"].errors == {"quantity": ["Not zero: that would change nothing."]}
    assert state_of("A") == (5, 0)
    assert Movement.objects.count() == 1


@pytest.mark.parametrize("sku", ["bad sku", "é", "B", "%00"])
def test_only_a_level_that_is_there_is_moved(desk, sku):
    for action in ("receive", "adjust"):
        assert desk.get(f"{LEVELS}{sku}/{action}/").status_code == 404
        assert desk.post(f"{LEVELS}{sku}/{action}/", WHY).status_code == 404
    assert not Level.objects.exists()


def test_the_pages_of_a_sku_with_an_underscore_lead_to_its_actions(desk, shelf):
    shelf(**{"A_B": 5})
    page = desk.get(f"{LEVELS}A_5FB/change/").content.decode()
    assert f'href="{LEVELS}A_B/receive/"' in page
    assert "A_5FB/receive" not in page
    assert desk.post(f"{LEVELS}A_B/receive/", WHY)["Location"] == f"{LEVELS}A_5FB/change/"
    assert state_of("A_B") == (8, 0)
    assert Level.objects.count() == 1


def test_a_new_sku_is_received(desk):
    assert "Receive a new SKU" in desk.get(LEVELS).content.decode()
    assert desk.get(f"{LEVELS}receive/").status_code == 200
    assert desk.post(f"{LEVELS}receive/", WHY | {"sku": "A_B.1"})["Location"] == LEVELS
    [entry] = Movement.objects.values("level", "kind", "quantity", "reason")
    assert entry == {"level": "A_B.1", "kind": "receipt", "quantity": 3, "reason": "a count"}
    assert state_of("A_B.1") == (3, 0)


@pytest.mark.parametrize(
    ("sku", "said"),
    [("bad sku", "1 to 64 letters"), ("é", "1 to 64 letters"), ("me", "reserved word"), ("A", "has this SKU already")],
)
def test_what_is_no_new_sku_is_refused_beside_its_field(desk, shelf, sku, said):
    shelf(A=5)
    answer = desk.post(f"{LEVELS}receive/", WHY | {"sku": sku})
    assert said in answer.context["form"].errors["sku"][0]
    assert Movement.objects.count() == 1
    assert state_of("A") == (5, 0)


def test_the_ledger_of_a_sku_is_that_of_no_other(desk, shelf):
    shelf(**{"82": 1, "985893": 2, "8_2": 3})
    for sku in ("82", "8_2"):
        page = desk.get(f"{LEVELS}{sku}/ledger/", follow=True)
        assert [entry.level_id for entry in page.context["cl"].result_list] == [sku]
