"""How much one client, and all of them, may ask for."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import Start
from tests.support.client import Answer, ask
from tests.support.processes import Gateway, Upstream, wait_until
from tests.test_problems import assert_problem

EVERYWHERE = {"GATEWAY_BIND": "0.0.0.0"}  # noqa: S104 - what it says, not where it listens


def at_once(gateway: Gateway, number: int, path: str, method: str = "GET") -> list[Answer]:
    """So many requests at the same time."""
    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(lambda _: ask(gateway.port, path, method), range(number)))


def test_a_client_is_limited_by_rate(start: Start, services: dict[str, Upstream]) -> None:
    gateway = start(**EVERYWHERE, LIMIT_RATE="1r/s", LIMIT_BURST="4")
    before = services["cart"].hits
    answers = [ask(gateway.port, "/api/v1/carts/1") for _ in range(12)]
    assert [answer.status for answer in answers[:5]] == [200] * 5
    refused = [answer for answer in answers if answer.status != 200]
    assert len(refused) >= 6
    for answer in refused:
        assert_problem(answer, 429, "rate_limited")
        assert answer.header("Retry-After") == "1"
    assert services["cart"].hits == before + len(answers) - len(refused)
    assert ask(gateway.port, "/healthz").status == ask(gateway.port, "/").status == 200


@pytest.mark.parametrize(
    ("path", "limits"),
    [
        ("/api/v1/customers", "SIGN_IN"),
        ("/api/v1/customers/token", "SIGN_IN"),
        ("/api/v1/customers/password-reset", "SIGN_IN"),
        ("/api/v1/customers/password-reset/confirm", "SIGN_IN"),
        ("/api/v1/customers/token/", "SIGN_IN"),
        ("/admin/orders/login/", "SIGN_IN"),
        ("/admin/orders/login/local/", "SIGN_IN"),
        ("/admin/customers/login/local", "SIGN_IN"),
        ("/api/v1/orders", "CHECKOUT"),
        ("/api/v1/orders/", "CHECKOUT"),
    ],
)
def test_what_is_worth_abusing_is_limited_more(start: Start, path: str, limits: str) -> None:
    gateway = start(**EVERYWHERE, **{f"LIMIT_{limits}_RATE": "1r/m", f"LIMIT_{limits}_BURST": "2"})
    answers = [ask(gateway.port, path, "POST") for _ in range(5)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429, 429]
    assert_problem(answers[-1], 429, "rate_limited")
    assert answers[-1].header("Retry-After") == "6"
    assert ask(gateway.port, path).status == 200
    assert ask(gateway.port, "/api/v1/carts", "POST").status == 200


@pytest.mark.parametrize("bind", ["127.0.0.1", "localhost", "127.8.8.8", "::1"])
def test_this_machine_is_exempt_while_nobody_else_can_ask(start: Start, bind: str) -> None:
    gateway = start(
        GATEWAY_BIND=bind, LIMIT_RATE="1r/m", LIMIT_BURST="1", LIMIT_SIGN_IN_RATE="1r/m", LIMIT_SIGN_IN_BURST="1"
    )
    for path in ("/api/v1/customers/token", "/api/v1/carts"):
        assert {ask(gateway.port, path, "POST").status for _ in range(5)} == {200}


@pytest.mark.parametrize("bind", ["0.0.0.0", "192.168.1.5", "::", "10.127.0.1", "localhost.example.com"])  # noqa: S104
def test_otherwise_nobody_is(start: Start, bind: str) -> None:
    gateway = start(GATEWAY_BIND=bind, LIMIT_RATE="1r/m", LIMIT_BURST="1")
    assert [ask(gateway.port, "/api/v1/carts/1").status for _ in range(4)] == [200, 200, 429, 429]


def test_512_requests_at_once_are_all_answered(gateway: Gateway, services: dict[str, Upstream]) -> None:
    services["orders"].control(delay=1.0)
    answers = at_once(gateway, 512, "/api/v1/orders", "POST")
    assert {answer.status for answer in answers} == {200}


def test_more_than_the_shop_takes_at_once_is_shed_at_once(start: Start, services: dict[str, Upstream]) -> None:
    gateway = start(LIMIT_REQUESTS="10")
    services["orders"].control(delay=1.0)
    answers = at_once(gateway, 30, "/api/v1/orders", "POST")
    assert sorted(answer.status for answer in answers) == [200] * 10 + [429] * 20
    refused = [answer for answer in answers if answer.status == 429]
    assert max(answer.seconds for answer in refused) < 0.3
    assert_problem(refused[0], 429, "rate_limited")


def test_a_service_that_hangs_fills_its_own_room_only(start: Start, services: dict[str, Upstream]) -> None:
    gateway = start(LIMIT_REQUESTS="5")
    services["orders"].control(delay=1.5)
    before = services["orders"].hits
    with ThreadPoolExecutor(5) as pool:
        hanging = [pool.submit(ask, gateway.port, "/api/v1/orders", "POST") for _ in range(5)]
        wait_until(lambda: services["orders"].hits == before + 5, "orders works on five")
        assert ask(gateway.port, "/api/v1/orders").status == 429
        assert {answer.status for answer in at_once(gateway, 5, "/api/v1/carts/1")} == {200}
        assert {it.result().status for it in hanging} == {200}


def test_a_client_is_limited_in_requests_at_once(start: Start, services: dict[str, Upstream]) -> None:
    gateway = start(**EVERYWHERE, LIMIT_CONNECTIONS="5")
    services["orders"].control(delay=1.0)
    assert sorted(answer.status for answer in at_once(gateway, 8, "/api/v1/orders")) == [200] * 5 + [429] * 3


def test_behind_a_trusted_proxy_its_word_counts(start: Start) -> None:
    gateway = start(**EVERYWHERE, TRUSTED_PROXY="127.0.0.1", LIMIT_RATE="1r/m", LIMIT_BURST="1")
    said = {"X-Forwarded-For": "6.6.6.6, 203.0.113.9", "X-Forwarded-Proto": "https"}
    first = ask(gateway.port, "/api/v1/carts/1", headers=said)
    assert first.json()["headers"]["x-forwarded-for"] == "203.0.113.9"
    assert first.json()["headers"]["x-forwarded-proto"] == "https"
    assert [ask(gateway.port, "/api/v1/carts/1", headers=said).status for _ in range(2)] == [200, 429]
    other = {"X-Forwarded-For": "203.0.113.9, 203.0.113.10"}
    assert ask(gateway.port, "/api/v1/carts/1", headers=other).status == 200


def test_nobody_else_is_believed(start: Start) -> None:
    gateway = start(**EVERYWHERE, TRUSTED_PROXY="10.0.0.1", LIMIT_RATE="1r/m", LIMIT_BURST="1")
    statuses = [
        ask(gateway.port, "/api/v1/carts/1", headers={"X-Forwarded-For": f"9.9.9.{i}"}).status for i in range(4)
    ]
    assert statuses == [200, 200, 429, 429]


def test_a_rate_recovers(start: Start) -> None:
    gateway = start(**EVERYWHERE, LIMIT_RATE="4r/s", LIMIT_BURST="1")
    assert [ask(gateway.port, "/api/v1/carts/1").status for _ in range(3)] == [200, 200, 429]
    end = time.monotonic() + 2
    while ask(gateway.port, "/api/v1/carts/1").status != 200:
        assert time.monotonic() < end
