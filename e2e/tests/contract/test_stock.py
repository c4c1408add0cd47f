"""Stock, as the contract has it."""

from uuid import UUID, uuid4

import pytest

from support.people import Person, Staff

MOVEMENT = {"id", "sku", "kind", "quantity", "reason", "actor", "created"}


def movement(**changes: object) -> dict[str, object]:
    return {"sku": "E2E-M", "kind": "receipt", "quantity": 1, "reason": "e2e"} | changes


def test_a_level_has_two_fields(guest: Person, staff: Staff) -> None:
    sku = staff.goods(price=1, quantity=3)
    assert guest.get(f"/stock/{sku}").ok() == {"sku": sku, "available": 3}
    guest.get(f"/stock/{sku.lower()}").refused(404, "sku_not_found")


def test_a_list_of_levels_keeps_the_order_and_the_unknown(guest: Person, staff: Staff) -> None:
    a, b = staff.goods(price=1, quantity=3), staff.goods(price=1, quantity=5)
    answer = guest.get(f"/stock?sku={b}&sku=nobody-knows&sku={a}").ok()
    assert answer == {
        "results": [
            {"sku": b, "available": 5},
            {"sku": "nobody-knows", "available": 0},
            {"sku": a, "available": 3},
        ]
    }


@pytest.mark.parametrize(
    "query", ["", "?sku=", "?sku=%00", "?sku=a%20b", "?sku=-a", "?sku=" + "x" * 65, "?sku=current"]
)
def test_a_list_of_what_cannot_be_skus_is_400(guest: Person, query: str) -> None:
    answer = guest.get(f"/stock{query}")
    assert (answer.status, answer.code) == (400, "invalid"), answer
    assert answer.data["errors"], answer


def test_at_most_100_skus_at_once(guest: Person) -> None:
    assert len(guest.get("/stock?" + "&".join(f"sku=a{n}" for n in range(100))).ok()["results"]) == 100
    guest.get("/stock?" + "&".join(f"sku=a{n}" for n in range(101))).refused(400, "invalid", "sku")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sku", 12),
        ("sku", ""),
        ("sku", " a"),
        ("sku", "a/b"),
        ("sku", "movements"),
        ("sku", "x" * 65),
        ("sku", None),
        ("kind", "sale"),
        ("kind", None),
        ("quantity", "5"),
        ("quantity", 1.5),
        ("quantity", 5.5),
        ("quantity", True),
        ("quantity", 0),
        ("quantity", -1),
        ("quantity", 2**31),
        ("quantity", None),
        ("quantity", [1]),
        ("reason", 7),
        ("reason", ""),
        ("reason", "   "),
        ("reason", "x" * 201),
        ("reason", "a\x07b"),
        ("reason", {"a": 1}),
    ],
)
def test_a_movement_s_bad_field_is_named(staff: Staff, field: str, value: object) -> None:
    staff.post("/stock/movements", movement(**{field: value})).refused(400, "invalid", field)


@pytest.mark.parametrize("field", ["sku", "kind", "quantity", "reason"])
def test_a_movement_s_missing_field_is_named(staff: Staff, field: str) -> None:
    body = {name: value for name, value in movement().items() if name != field}
    staff.post("/stock/movements", body).refused(400, "invalid", field)


def test_an_adjustment_is_signed_and_not_zero(staff: Staff) -> None:
    sku = staff.goods(price=1, quantity=3)
    staff.post("/stock/movements", movement(sku=sku, kind="adjustment", quantity=0)).refused(400, "invalid", "quantity")
    entry = staff.post("/stock/movements", movement(sku=sku, kind="adjustment", quantity=-3)).ok(201)
    assert set(entry) == MOVEMENT
    assert str(UUID(entry["id"])) == entry["id"]
    assert (entry["sku"], entry["kind"], entry["quantity"]) == (sku, "adjustment", -3)
    below = movement(sku=sku, kind="adjustment", quantity=-1)
    staff.post("/stock/movements", below).refused(409, "below_reserved")
    assert staff.available(sku) == 0


def test_only_staff_move_goods_and_read_the_ledger(guest: Person, customer: Person, staff: Staff) -> None:
    sku = staff.goods(price=1, quantity=3)
    guest.post("/stock/movements", movement(sku=sku)).refused(401, "not_authenticated")
    customer.post("/stock/movements", movement(sku=sku)).refused(403, "permission_denied")
    guest.get(f"/stock/{sku}/movements").refused(401, "not_authenticated")
    customer.get(f"/stock/{sku}/movements").refused(403, "permission_denied")
    assert staff.available(sku) == 3


def test_a_movement_is_done_once_per_key_and_replayed_byte_for_byte(staff: Staff) -> None:
    sku, key = staff.goods(price=1, quantity=0), {"Idempotency-Key": str(uuid4())}
    first = staff.post("/stock/movements", movement(sku=sku, quantity=4), headers=key)
    again = staff.post("/stock/movements", movement(sku=sku, quantity=4), headers=key)
    assert first.ok(201)["quantity"] == 4
    assert (again.status, again.body) == (201, first.body)
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    other = staff.post("/stock/movements", movement(sku=sku, quantity=5), headers=key)
    other.refused(422, "idempotency_key_reused")
    assert staff.available(sku) == 4


def test_the_ledger_pages_both_ways(staff: Staff) -> None:
    sku = staff.goods(price=1, quantity=0)
    for quantity in (1, 2, 3, 4, 5):
        staff.receive(sku, quantity)
    seen, back = pages(staff, f"/stock/{sku}/movements?limit=2", "quantity")
    assert seen == [[5, 4], [3, 2], [1]]
    assert back == [[3, 2], [5, 4]]
    assert set(staff.get(f"/stock/{sku}/movements").ok()["results"][0]) == MOVEMENT
    staff.get("/stock/nobody-knows/movements").refused(404, "sku_not_found")


def pages(person: Person, path: str, field: str) -> tuple[list[list[object]], list[list[object]]]:
    """A field of every page, forwards to the end and back to the beginning."""
    page = person.get(path).ok()
    assert set(page) == {"results", "next", "previous"}
    assert page["previous"] is None
    seen = [[row[field] for row in page["results"]]]
    while page["next"]:
        page = person.send("GET", page["next"]).ok()
        seen.append([row[field] for row in page["results"]])
    back = []
    while page["previous"]:
        page = person.send("GET", page["previous"]).ok()
        back.append([row[field] for row in page["results"]])
    return seen, back


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "limit=-1", "limit=1.5"])
def test_a_limit_out_of_range_is_400(staff: Staff, query: str) -> None:
    sku = staff.goods(price=1, quantity=1)
    staff.get(f"/stock/{sku}/movements?{query}").refused(400, "invalid", "limit")


@pytest.mark.parametrize("cursor", ["x", "%00", "W10", "bnVsbA", "WzEsMiwzXQ", "a" * 2000, "e30", "W2ZhbHNlLCJ4Il0"])
def test_a_cursor_that_is_not_ours_is_400(staff: Staff, cursor: str) -> None:
    sku = staff.goods(price=1, quantity=1)
    staff.get(f"/stock/{sku}/movements?cursor={cursor}").refused(400, "invalid", "cursor")
