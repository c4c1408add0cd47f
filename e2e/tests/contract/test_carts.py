"""Carts, as the contract has it."""

from uuid import uuid4

import pytest

from support.people import Person, Staff

CART = {"id", "lines", "total", "version"}
LINE = {"sku", "name", "quantity", "unit_price", "previous_unit_price", "line_total", "available"}


def test_a_new_cart_is_empty(guest: Person) -> None:
    cart = guest.post("/carts").ok(201)
    assert set(cart) == CART
    assert (cart["lines"], cart["total"], cart["version"]) == ([], {"amount": 0, "currency": "USD"}, 0)
    assert guest.get(f"/carts/{cart['id']}").ok() == cart
    assert guest.post("/carts", {}).ok(201)["id"] != cart["id"]
    guest.post("/carts", {"customer": str(uuid4())}).refused(400, "invalid", "customer")


def test_a_line_has_today_s_price_and_what_is_there(guest: Person, staff: Staff) -> None:
    sku = staff.goods(price=199, quantity=4)
    cart = guest.cart_with({})
    changed = guest.put(f"/carts/{cart}/lines/{sku}", {"quantity": 6}).ok()
    assert set(changed) == CART
    [line] = changed["lines"]
    assert set(line) == LINE
    assert line == {
        "sku": sku,
        "name": f"Goods {sku}",
        "quantity": 6,
        "unit_price": {"amount": 199, "currency": "USD"},
        "previous_unit_price": None,
        "line_total": {"amount": 1194, "currency": "USD"},
        "available": 4,
    }
    assert changed["total"] == {"amount": 1194, "currency": "USD"}
    again = guest.put(f"/carts/{cart}/lines/{sku}", {"quantity": 2}).ok()
    assert [line["quantity"] for line in again["lines"]] == [2]
    assert again["version"] > changed["version"]
    empty = guest.delete(f"/carts/{cart}/lines/{sku}").ok()
    assert (empty["lines"], empty["total"]["amount"]) == ([], 0)


@pytest.mark.parametrize("quantity", [0, -1, 1000, "2", 1.5, True, None, [], {}, 2**31, 10**14])
def test_a_quantity_that_is_none_is_400_and_changes_nothing(guest: Person, staff: Staff, quantity: object) -> None:
    sku = staff.goods(price=1, quantity=1)
    cart = guest.cart_with({sku: 3})
    before = guest.get(f"/carts/{cart}").ok()
    guest.put(f"/carts/{cart}/lines/{sku}", {"quantity": quantity}).refused(400, "invalid", "quantity")
    assert guest.get(f"/carts/{cart}").ok() == before


def test_a_quantity_is_at_most_999_and_is_needed(guest: Person, staff: Staff) -> None:
    sku = staff.goods(price=1, quantity=1)
    cart = guest.cart_with({sku: 999})
    guest.put(f"/carts/{cart}/lines/{sku}", {}).refused(400, "invalid", "quantity")
    guest.put(f"/carts/{cart}/lines/{sku}", {"quantity": 1, "price": 1}).refused(400, "invalid", "price")
    assert guest.get(f"/carts/{cart}").ok()["lines"][0]["quantity"] == 999


def test_goods_that_do_not_exist_are_404(guest: Person) -> None:
    cart = guest.cart_with({})
    guest.put(f"/carts/{cart}/lines/nobody-knows", {"quantity": 1}).refused(404, "product_not_found")
    for nonsense in ("-a", "a%20b", "a%2fb", "x" * 65, "current", "%00"):
        answer = guest.put(f"/carts/{cart}/lines/{nonsense}", {"quantity": 1})
        assert answer.status in (400, 404), answer
    assert guest.get(f"/carts/{cart}").ok()["lines"] == []


def test_a_cart_that_does_not_exist_is_404(guest: Person, staff: Staff) -> None:
    sku = staff.goods(price=1, quantity=1)
    for cart in (str(uuid4()),):
        guest.get(f"/carts/{cart}").refused(404, "cart_not_found")
        guest.put(f"/carts/{cart}/lines/{sku}", {"quantity": 1}).refused(404, "cart_not_found")
        guest.delete(f"/carts/{cart}").refused(404, "cart_not_found")
        guest.delete(f"/carts/{cart}/lines/{sku}").refused(404, "cart_not_found")
        staff.post(f"/carts/{cart}/claim").refused(404, "cart_not_found")
    assert guest.get("/carts/not-a-uuid").status == 404


def test_a_deleted_cart_is_gone(guest: Person) -> None:
    cart = guest.cart_with({})
    guest.delete(f"/carts/{cart}").ok(204)
    guest.get(f"/carts/{cart}").refused(404, "cart_not_found")


def test_a_customer_s_cart_is_only_theirs(guest: Person, customer: Person, somebody_else: Person, staff: Staff) -> None:
    sku = staff.goods(price=1, quantity=1)
    cart = customer.cart_with({sku: 1})
    for stranger in (guest, somebody_else):
        stranger.get(f"/carts/{cart}").refused(404, "cart_not_found")
        stranger.put(f"/carts/{cart}/lines/{sku}", {"quantity": 9}).refused(404, "cart_not_found")
        stranger.delete(f"/carts/{cart}/lines/{sku}").refused(404, "cart_not_found")
        stranger.delete(f"/carts/{cart}").refused(404, "cart_not_found")
        stranger.checkout(cart).refused(404, "cart_not_found")
    somebody_else.post(f"/carts/{cart}/claim").refused(404, "cart_not_found")
    assert [line["quantity"] for line in customer.get(f"/carts/{cart}").ok()["lines"]] == [1]


def test_current_and_claim_need_a_token(guest: Person) -> None:
    guest.get("/carts/current").refused(401, "not_authenticated")
    guest.post(f"/carts/{guest.cart_with({})}/claim").refused(401, "not_authenticated")


def test_the_current_cart_stays_the_same(customer: Person) -> None:
    current = customer.get("/carts/current").ok()
    assert set(current) == CART
    assert customer.get("/carts/current").ok() == current
