"""Public product reads are kept for seconds, and everything else is not."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from tests.conftest import Start
from tests.support.client import Answer, ask
from tests.support.processes import Gateway, Upstream, free_port, wait_until

PRODUCTS = ("products-1", "products-2")
NUMBERS = count()
FRESH = "max-age=1, stale-while-revalidate=1"
LONG = "max-age=60"


@pytest.fixture
def page() -> str:
    """A page that no test has asked for yet."""
    return f"/api/v1/products/page-{next(NUMBERS)}"


@pytest.fixture
def products(services: dict[str, Upstream]) -> list[Upstream]:
    """Both products instances, whose answers may be kept for a minute."""
    instances = [services[name] for name in PRODUCTS]
    for instance in instances:
        instance.control(headers={"Cache-Control": LONG})
    return instances


def hits(products: list[Upstream]) -> int:
    """How often the instances were asked."""
    return sum(instance.hits for instance in products)


def cached(gateway: Gateway, path: str, **headers: str) -> Answer:
    """The answer to a read."""
    return ask(gateway.port, path, headers={name.replace("_", "-"): value for name, value in headers.items()})


def test_the_second_read_is_a_hit(gateway: Gateway, products: list[Upstream], page: str) -> None:
    before = hits(products)
    first, second = cached(gateway, page), cached(gateway, page)
    assert (first.header("X-Cache"), second.header("X-Cache")) == ("MISS", "HIT")
    assert first.body == second.body
    assert second.header("Cache-Control") == "no-cache"
    assert hits(products) == before + 1


def test_the_order_of_arguments_does_not_matter_but_of_equal_names_does(
    gateway: Gateway, products: list[Upstream], page: str
) -> None:
    assert cached(gateway, f"{page}?q=a&brand=b&sku=1&sku=2").header("X-Cache") == "MISS"
    assert cached(gateway, f"{page}?sku=1&brand=b&sku=2&q=a").header("X-Cache") == "HIT"
    assert cached(gateway, f"{page}?sku=2&brand=b&sku=1&q=a").header("X-Cache") == "MISS"
    assert cached(gateway, f"{page}?q=a").header("X-Cache") == "MISS"
    assert cached(gateway, page).header("X-Cache") == "MISS"


def test_methods_and_hosts_have_entries_of_their_own(gateway: Gateway, products: list[Upstream], page: str) -> None:
    assert cached(gateway, page).header("X-Cache") == "MISS"
    assert ask(gateway.port, page, "HEAD").header("X-Cache") == "MISS"
    assert ask(gateway.port, page, "HEAD").header("X-Cache") == "HIT"
    assert cached(gateway, page, Host="localhost").header("X-Cache") == "MISS"
    assert cached(gateway, page, Host="localhost").header("X-Cache") == "HIT"


@pytest.mark.parametrize("header", ["Authorization", "Cookie"])
def test_personal_requests_are_neither_answered_from_it_nor_put_into_it(
    gateway: Gateway, products: list[Upstream], page: str, header: str
) -> None:
    before = hits(products)
    for _ in range(2):
        answer = cached(gateway, page, **{header: "mine"})
        assert answer.header("X-Cache") is None
        assert answer.json()["headers"][header.lower()] == "mine"
    assert hits(products) == before + 2
    public = cached(gateway, page)
    assert public.header("X-Cache") == "MISS"
    assert header.lower() not in public.json()["headers"]
    assert cached(gateway, page, **{header: "mine"}).header("X-Cache") is None
    assert hits(products) == before + 4


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (404, {}),
        (500, {}),
        (200, {"Cache-Control": "private"}),
        (200, {"Cache-Control": "no-store"}),
        (200, {"Set-Cookie": "a=b"}),
    ],
)
def test_what_is_not_kept(
    gateway: Gateway, products: list[Upstream], page: str, status: int, headers: dict[str, str]
) -> None:
    for instance in products:
        instance.control(status=status, headers=headers)
    answers = [cached(gateway, page) for _ in range(3)]
    assert [(answer.status, answer.header("X-Cache")) for answer in answers] == [(status, "MISS")] * 3


@pytest.mark.parametrize("path", ["/api/v1/stock/1", "/api/v1/carts/1", "/api/v1/orders/1", "/admin/products/x"])
def test_nothing_else_is_kept(gateway: Gateway, services: dict[str, Upstream], path: str) -> None:
    for service in services.values():
        service.control(headers={"Cache-Control": "public, max-age=60"})
    before = sum(service.hits for service in services.values())
    assert [ask(gateway.port, path).header("X-Cache") for _ in range(3)] == [None] * 3
    assert sum(service.hits for service in services.values()) == before + 3


def test_one_request_fills_a_new_entry(gateway: Gateway, products: list[Upstream], page: str) -> None:
    for instance in products:
        instance.control(delay=0.3)
    before = hits(products)
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda _: cached(gateway, page), range(40)))
    assert {answer.status for answer in answers} == {200}
    assert hits(products) == before + 1


def test_a_change_is_seen_within_the_cache_time(gateway: Gateway, products: list[Upstream], page: str) -> None:
    """Also on a page that nobody has looked at since long before: beyond the cache time nobody gets the old price."""
    for instance in products:
        instance.control(headers={"Cache-Control": FRESH}, value="old price")
    asked_often, asked_once = f"{page}-often", f"{page}-once"
    assert cached(gateway, asked_often).json()["value"] == cached(gateway, asked_once).json()["value"] == "old price"
    for instance in products:
        instance.control(value="new price")
    changed = time.monotonic()
    wait_until(lambda: cached(gateway, asked_often).json()["value"] == "new price", "the new price is seen", 3.2)
    time.sleep(
        max(0.0, changed + 3.0 - time.monotonic())
    )  # 1 s fresh + 1 s stale, each rounded up to the clock's second
    answer = cached(gateway, asked_once)
    assert (answer.json()["value"], answer.header("X-Cache")) == ("new price", "MISS")


def test_without_cache_control_the_gateways_own_time_counts(
    gateway: Gateway, products: list[Upstream], page: str
) -> None:
    for instance in products:
        instance.control(headers={}, value="old price")
    assert cached(gateway, page).json()["value"] == "old price"
    assert cached(gateway, page).header("X-Cache") == "HIT"
    for instance in products:
        instance.control(value="new price")
    wait_until(lambda: cached(gateway, page).json()["value"] == "new price", "the new price is seen", 2.2)


def test_an_old_answer_is_given_at_once_while_a_new_one_is_fetched(
    gateway: Gateway, products: list[Upstream], page: str
) -> None:
    for instance in products:
        instance.control(headers={"Cache-Control": "max-age=1, stale-while-revalidate=30"})
    cached(gateway, page)
    for instance in products:
        instance.control(delay=0.5)
    stale = wait_until(lambda: it if (it := cached(gateway, page)).header("X-Cache") == "STALE" else None, "it is old")
    assert stale.seconds < 0.25
    wait_until(lambda: cached(gateway, page).header("X-Cache") == "HIT", "the new one is there", 3)


def test_an_etag_that_still_holds_is_answered_with_304(gateway: Gateway, products: list[Upstream], page: str) -> None:
    for instance in products:
        instance.control(headers={"Cache-Control": LONG, "ETag": '"v1"'})
    before = hits(products)
    assert cached(gateway, page, If_None_Match='"v1"').status == 304
    assert cached(gateway, page, If_None_Match='W/"v1"').status == 304
    assert cached(gateway, page, If_None_Match='"v0"').status == 200
    assert hits(products) == before + 1


def test_warm_pages_survive_the_loss_of_all_products_instances(start: Start, page: str) -> None:
    instances = [Upstream(name) for name in PRODUCTS]
    try:
        for instance in instances:
            instance.control(headers={"Cache-Control": FRESH})
        gateway = start(
            PRODUCTS_1_ADDRESS=f"127.0.0.1:{instances[0].port}",
            PRODUCTS_2_ADDRESS=f"127.0.0.1:{instances[1].port}",
            ORDERS_ADDRESS=f"127.0.0.1:{free_port()}",
        )
        warm = cached(gateway, page)
        for instance in instances:
            instance.end(signal.SIGKILL)
        stale = wait_until(lambda: it if (it := cached(gateway, page)).header("X-Cache") == "STALE" else None, "stale")
        assert (stale.status, stale.body) == (200, warm.body)
        time.sleep(2.5)  # beyond fresh and stale-while-revalidate
        answers = [cached(gateway, page) for _ in range(20)]
        assert {(answer.status, answer.header("X-Cache")) for answer in answers} == {(200, "STALE")}
        assert (cached(gateway, f"{page}-cold").status, ask(gateway.port, page, "PATCH").status) == (503, 503)
        checkout = ask(gateway.port, "/api/v1/orders", "POST")
        assert (checkout.status, checkout.header("Retry-After")) == (503, "1")
    finally:
        for instance in instances:
            instance.end()
