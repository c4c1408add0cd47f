from uuid import UUID, uuid4

import pytest

from stock.models import Level, Movement, Reservation
from tests.conftest import state_of

pytestmark = pytest.mark.django_db
STOCK = "/api/v1/stock"


def test_anyone_sees_what_is_available(api, shelf, hold):
    shelf(A=5, B=1)
    hold(A=2)
    assert api.get(f"{STOCK}/A").json() == {"sku": "A", "available": 3}
    assert api.get(f"{STOCK}?sku=B&sku=nope").json() == {
        "results": [{"sku": "B", "available": 1}, {"sku": "nope", "available": 0}]
    }


@pytest.mark.parametrize("path", ["/nope", "/-bad", "/a%00b", "/reservations/not-a-uuid", "/A/B"])
def test_what_is_not_there_is_404(api, path):
    answer = api.get(STOCK + path)
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


@pytest.mark.parametrize(
    "query", ["", "?sku=", "?sku=%00", "?sku=a%20b", "?" + "&".join(f"sku=a{n}" for n in range(101))]
)
def test_a_list_of_skus_has_to_be_one(api, query):
    answer = api.get(STOCK + query)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert answer.json()["errors"][0]["field"].startswith("sku")


def test_staff_receive_and_adjust(api, as_staff):
    staff = as_staff("warehouse")
    body = {"sku": "A", "kind": "receipt", "quantity": 5, "reason": "delivery 7"}
    answer = api.post(f"{STOCK}/movements", body, staff)
    assert answer.status_code == 201
    assert {name: answer.json()[name] for name in body} == body
    assert answer.json()["actor"].startswith("staff:")
    less = {"sku": "A", "kind": "adjustment", "quantity": -2, "reason": "broken"}
    assert api.post(f"{STOCK}/movements", less, staff).status_code == 201
    assert state_of("A") == (3, 0)
    entries = api.get(f"{STOCK}/A/movements?limit=1", staff).json()
    assert [entry["quantity"] for entry in entries["results"]] == [-2]
    older = api.get(entries["next"].removeprefix("http://testserver"), staff).json()
    assert older["results"] == [answer.json()]
    assert older["next"] is None
    newer = api.get(older["previous"].removeprefix("http://testserver"), staff).json()
    assert newer["results"] == entries["results"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"quantity": 0}, "quantity"),
        ({"quantity": -1}, "quantity"),
        ({"quantity": "5"}, "quantity"),
        ({"quantity": 1.5}, "quantity"),
        ({"quantity": 10**10}, "quantity"),
        ({"kind": "sale"}, "kind"),
        ({"sku": "a b"}, "sku"),
        ({"sku": 5}, "sku"),
        ({"sku": "movements"}, "sku"),
        ({"reason": ""}, "reason"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_movement_that_makes_no_sense_is_refused(api, as_staff, change, field):
    body = {"sku": "A", "kind": "receipt", "quantity": 5, "reason": "x"} | change
    answer = api.post(f"{STOCK}/movements", body, as_staff())
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert not Level.objects.exists()


def test_an_adjustment_below_what_is_reserved_is_409(api, as_staff, shelf, hold):
    shelf(A=5)
    hold(A=4)
    body = {"sku": "A", "kind": "adjustment", "quantity": -2, "reason": "x"}
    answer = api.post(f"{STOCK}/movements", body, as_staff())
    assert (answer.status_code, answer.json()["code"]) == (409, "below_reserved")
    assert state_of("A") == (5, 4)


def test_a_movement_with_a_key_is_written_once(api, as_staff):
    staff = as_staff() | {"Idempotency-Key": "k1"}
    body = {"sku": "A", "kind": "receipt", "quantity": 5, "reason": "x"}
    first, again = (api.post(f"{STOCK}/movements", body, staff) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"
    assert state_of("A") == (5, 0)
    other = api.post(f"{STOCK}/movements", body | {"quantity": 6}, staff)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert state_of("A") == (5, 0)


def test_a_refused_movement_leaves_its_key_free(api, as_staff, shelf):
    staff = as_staff() | {"Idempotency-Key": "k1"}
    body = {"sku": "A", "kind": "adjustment", "quantity": -1, "reason": "x"}
    assert api.post(f"{STOCK}/movements", body, staff).status_code == 404
    shelf(A=1)
    assert api.post(f"{STOCK}/movements", body, staff).status_code == 201


def test_who_may_write_the_ledger(api, as_customer, as_staff, as_service):
    body = {"sku": "A", "kind": "receipt", "quantity": 5, "reason": "x"}
    callers = {401: {}, 403: as_customer()}
    for status, headers in callers.items():
        assert api.post(f"{STOCK}/movements", body, headers).status_code == status
    assert api.post(f"{STOCK}/movements", body, as_staff("support")).status_code == 403
    assert api.post(f"{STOCK}/movements", body, as_service("orders")).status_code == 403
    assert not Movement.objects.exists()


def test_a_reservation_lives_through_its_states(api, as_service, shelf):
    shelf(A=5)
    orders, id = as_service("orders"), uuid4()
    url = f"{STOCK}/reservations/{id}"
    body = {"lines": [{"sku": "A", "quantity": 1}, {"sku": "A", "quantity": 2}], "ttl": 60}
    made = api.put(url, body, orders)
    assert made.status_code == 201
    lines = [{"sku": "A", "quantity": 3}]
    assert made.json() == {"id": str(id), "state": "held", "expires_in": 60, "lines": lines}
    assert api.put(url, body, orders).status_code == 200
    assert api.post(f"{url}/commit", headers=orders).json()["state"] == "committed"
    assert api.post(f"{url}/return", headers=orders).json()["state"] == "returned"
    late = api.put(url, body, orders)
    assert (late.status_code, late.json()["code"]) == (410, "reservation_released")
    assert state_of("A") == (5, 0)


def test_orders_sells_many_at_once(api, as_service, as_staff, shelf, hold, django_assert_num_queries):
    shelf(A=50)
    ids = [str(hold(A=2).id) for _ in range(20)]
    with django_assert_num_queries(1):
        answer = api.post("/internal/reservations/commit", {"ids": [*ids, str(uuid4())]}, as_service("orders"))
    assert (answer.status_code, sorted(answer.json()["sold"])) == (200, sorted(ids))
    assert api.post("/internal/reservations/commit", {"ids": ids}, as_service("orders")).json() == {"sold": []}
    assert api.post("/internal/reservations/commit", {"ids": []}, as_service("orders")).status_code == 400
    callers = ({}, as_staff("warehouse"), as_service("cart"))
    statuses = [api.post("/internal/reservations/commit", {"ids": ids}, who).status_code for who in callers]
    assert statuses == [401, 403, 403]


def test_a_short_reservation_names_each_sku(api, as_service, shelf):
    shelf(A=1)
    body = {"lines": [{"sku": "A", "quantity": 2}, {"sku": "B", "quantity": 1}], "ttl": 60}
    answer = api.put(f"{STOCK}/reservations/{uuid4()}", body, as_service("orders"))
    assert (answer.status_code, answer.json()["code"]) == (409, "insufficient_stock")
    assert answer.json()["lines"] == [
        {"sku": "A", "quantity": 2, "available": 1},
        {"sku": "B", "quantity": 1, "available": 0},
    ]
    assert state_of("A") == (1, 0)


@pytest.mark.parametrize("step", ["commit", "return"])
def test_a_step_of_an_unknown_reservation_is_404(api, as_service, step):
    answer = api.post(f"{STOCK}/reservations/{uuid4()}/{step}", headers=as_service("orders"))
    assert (answer.status_code, answer.json()["code"]) == (404, "reservation_not_found")


def test_only_orders_reserves(api, as_service, as_staff, as_customer, shelf):
    shelf(A=5)
    body = {"lines": [{"sku": "A", "quantity": 1}], "ttl": 60}
    statuses = [
        api.put(f"{STOCK}/reservations/{uuid4()}", body, headers).status_code
        for headers in ({}, as_customer(), as_staff(), as_service("cart"))
    ]
    assert statuses == [401, 403, 403, 403]
    assert not Reservation.objects.exists()
    assert state_of("A") == (5, 0)


def test_products_receives_imports(api, as_service):
    body = {"reference": "file:abc", "lines": [{"sku": "A", "quantity": 3}]}
    assert api.post("/internal/receipts", body, as_service("products")).json() == {"received": 1}
    assert api.post("/internal/receipts", body, as_service("products")).json() == {"received": 0}
    assert api.post("/internal/receipts", body, as_service("orders")).status_code == 403
    assert state_of("A") == (3, 0)


@pytest.mark.parametrize("service", ["cart", "orders"])
def test_services_ask_for_many_at_once(api, as_service, shelf, hold, service, django_assert_num_queries):
    shelf(A=5, B=1)
    hold(A=2)
    body = {"skus": [*(f"S{n}" for n in range(997)), "B", "A", "A"]}
    with django_assert_num_queries(1):
        answer = api.post("/internal/availability", body, as_service(service))
    assert answer.status_code == 200
    assert answer.json()["results"][-2:] == [{"sku": "B", "available": 1}, {"sku": "A", "available": 3}]
    assert [row["available"] for row in answer.json()["results"][:-2]] == [0] * 997


@pytest.mark.parametrize("skus", [[], ["a b"], [5], "A", None, [f"S{n}" for n in range(1001)]])
def test_what_many_are_has_to_be_a_list_of_skus(api, as_service, skus):
    answer = api.post("/internal/availability", {"skus": skus}, as_service("cart"))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert answer.json()["errors"][0]["field"].startswith("skus")


def test_only_services_ask_for_many(api, as_customer, as_staff, as_service):
    callers = ({}, as_customer(), as_staff(), as_service("products"))
    answers = [api.post("/internal/availability", {"skus": ["A"]}, headers).status_code for headers in callers]
    assert answers == [401, 403, 403, 403]


@pytest.mark.parametrize(
    ("method", "path", "who", "more"),
    [
        ("PUT", f"/api/v1/stock/reservations/{UUID(int=7)}", "orders", {"ttl": 60}),
        ("POST", "/internal/receipts", "products", {"reference": "an import"}),
    ],
)
def test_lines_that_add_up_to_more_than_can_be_are_400(api, shelf, as_service, method, path, who, more):
    shelf(A=5)
    body = {"lines": [{"sku": "A", "quantity": 2**31 - 1}, {"sku": "A", "quantity": 1}]} | more
    answer = api.request(method, path, body, as_service(who))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "lines")
    assert state_of("A") == (5, 0)
