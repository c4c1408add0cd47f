"""What becomes of carts when products or stock do not answer, and how they are asked."""

from threading import Barrier

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.conftest import inside, version_of

pytestmark = pytest.mark.django_db
CARTS = "/api/v1/carts"


@pytest.mark.parametrize("service", ["products", "stock"])
def test_without_prices_or_availability_there_is_no_answer_and_no_change(api, shop, filled, service):
    id = filled(A=2)
    shop.down.add(service)
    for answer in (api.get(f"{CARTS}/{id}"), api.put(f"{CARTS}/{id}/lines/B", {"quantity": 1})):
        assert (answer.status_code, answer.json()["code"]) == (503, "dependency_unavailable")
        assert answer["Retry-After"] == "2"
        assert service in answer.json()["detail"]
    assert (inside(id), version_of(id)) == ({"A": 2}, 1)
    shop.down.clear()
    assert api.get(f"{CARTS}/{id}").status_code == 200


def test_empty_carts_need_nobody(api, shop, filled):
    shop.down.update(["products", "stock"])
    id = filled()
    assert api.get(f"{CARTS}/{id}").status_code == 200
    assert api.delete(f"{CARTS}/{id}/lines/A").status_code == 200
    assert shop.calls == []


def test_a_neighbour_that_refuses_us_is_503_not_500(api, shop, filled):
    id = filled(A=1)
    shop.answer = lambda path, skus: (403, {"code": "permission_denied"})
    assert api.get(f"{CARTS}/{id}").status_code == 503


@pytest.mark.parametrize("lines", [1, 3])
def test_a_look_and_a_put_are_one_query_and_each_neighbour_is_asked_once(api, shop, filled, lines):
    skus = [f"S{n}" for n in range(lines)]
    for sku in skus:
        shop.sell(sku, 10)
    id = filled(**dict.fromkeys(skus, 1))
    for queries, ask in (
        (1, lambda: api.get(f"{CARTS}/{id}")),
        (1, lambda: api.put(f"{CARTS}/{id}/lines/{skus[-1]}", {"quantity": 5})),
        (1, lambda: api.put(f"{CARTS}/{id}/lines/A", {"quantity": 5})),
        (2, lambda: api.delete(f"{CARTS}/{id}/lines/A")),
    ):
        shop.calls.clear()
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert ask().status_code == 200
        assert len(captured) == queries
        assert sorted(path for path, _ in shop.calls) == ["/internal/availability", "/internal/variants"]
        assert all(asked[:lines] == skus for _, asked in shop.calls)


def test_both_are_asked_at_the_same_time(api, shop, filled):
    id = filled(A=1)
    shop.together = Barrier(2)
    assert api.get(f"{CARTS}/{id}").status_code == 200, "each call was answered only because the other was under way"


def test_the_request_id_and_the_deadline_go_along(api, shop, filled):
    id = filled(A=1)
    shop.headers.clear()
    api.get(f"{CARTS}/{id}", {"X-Request-ID": "from-the-gateway", "X-Timeout-Ms": "1500"})
    assert [headers["X-Request-ID"] for headers in shop.headers] == ["from-the-gateway"] * 2
    assert all(0 < int(headers["X-Timeout-Ms"]) <= 1500 for headers in shop.headers)
