"""A products instance may end, crash, freeze, slow down or restart: no read fails. No POST is ever sent twice."""

import http.client
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER  # type: ignore[import-untyped]

from tests.conftest import Start
from tests.support.client import ask
from tests.support.load import get, load
from tests.support.processes import Gateway, Upstream, free_port, listens, wait_until

# A read waits for a frozen or slow instance for 1.4 s, and twice at most; then it is the other one's turn to fail.
SETTLE = 3.0


@pytest.fixture
def pair() -> Iterator[list[Upstream]]:
    """Two products instances that a test may break."""
    instances = [Upstream("products-1"), Upstream("products-2")]
    yield instances
    for instance in instances:
        instance.end()


@pytest.fixture
def shop(start: Start, pair: list[Upstream]) -> Gateway:
    """A gateway before this pair."""
    addresses = {f"PRODUCTS_{i}_ADDRESS": f"127.0.0.1:{instance.port}" for i, instance in enumerate(pair, 1)}
    return start(**addresses)


def test_no_read_fails_whatever_happens_to_one_instance(shop: Gateway, pair: list[Upstream]) -> None:
    one, other = pair
    with load(get(shop.port, "/api/v1/products"), clients=16) as readers:
        one.end(signal.SIGTERM)
        time.sleep(1)
        one.start()
        other.end(signal.SIGKILL)
        time.sleep(1)
        other.start()
        # A read that came while that one was not there has asked both: its answer must be out before the other freezes.
        time.sleep(1)
        one.send(signal.SIGSTOP)
        time.sleep(2)
        one.send(signal.SIGCONT)
        time.sleep(SETTLE)
        other.control(delay=2.0)
        time.sleep(2)
        other.control(delay=0)
        time.sleep(SETTLE)
        for instance in (one, other, one, other):  # restarting in turn, as soon as the one before is back
            instance.end(signal.SIGTERM)
            instance.start()
            time.sleep(0.3)
    assert readers.failed == [], shop.logged_failures()
    assert len(readers.seconds) > 500
    # `make -C e2e test-long` holds it to 1.5 s, where nothing else keeps the machine busy.
    assert readers.percentile(0.99) < 2


@pytest.mark.parametrize("status", [502, 503])
def test_a_read_moves_on_from_an_instance_that_says_it_cannot(shop: Gateway, pair: list[Upstream], status: int) -> None:
    pair[0].control(status=status)
    answers = [ask(shop.port, f"/api/v1/products?{i}") for i in range(20)]
    assert {(answer.status, answer.json()["instance"]) for answer in answers} == {(200, "products-2")}


def test_a_read_does_not_move_on_from_an_error_of_the_code(shop: Gateway, pair: list[Upstream]) -> None:
    for instance in pair:
        instance.control(status=500)
    before = sum(instance.hits for instance in pair)
    assert ask(shop.port, "/api/v1/products/bug").status == 500
    assert sum(instance.hits for instance in pair) == before + 1


def test_an_instance_that_is_back_gets_its_share_within_two_seconds(shop: Gateway, pair: list[Upstream]) -> None:
    pair[0].end()
    assert {ask(shop.port, f"/api/v1/products?{i}").json()["instance"] for i in range(10)} == {"products-2"}
    pair[0].start()
    names = (ask(shop.port, f"/api/v1/products?{time.monotonic_ns()}").json()["instance"] for _ in range(10**6))
    wait_until(lambda: next(names) == "products-1", "products-1 is asked again", 2)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_write_is_never_sent_twice(shop: Gateway, pair: list[Upstream], method: str) -> None:
    """The instance that works on a write is killed: the client learns it, the other instance never gets it."""
    for instance in pair:
        instance.control(delay=5)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask, shop.port, "/api/v1/products/a", method, None, b"{}")
        busy = wait_until(lambda: [instance for instance in pair if instance.hits], "an instance has it")
        assert len(busy) == 1
        busy[0].end()
        answer = asked.result(10)
    (idle,) = set(pair) - set(busy)
    assert (answer.status, answer.json()["code"], answer.header("Retry-After")) == (503, "service_unavailable", "1")
    assert idle.hits == 0


def test_a_write_to_an_instance_that_is_gone_is_refused_or_goes_to_the_other_at_once(
    shop: Gateway, pair: list[Upstream]
) -> None:
    pair[0].end()
    statuses = [ask(shop.port, "/api/v1/products", "POST").status for _ in range(20)]
    assert statuses.count(503) <= 2
    assert pair[1].hits == statuses.count(200)


@pytest.mark.parametrize(
    ("method", "status", "sent"),
    [("POST", 503, 1), ("PATCH", 503, 1), ("GET", 200, 2), ("PUT", 200, 2), ("DELETE", 200, 2)],
)
def test_only_what_says_the_same_twice_is_sent_again_to_a_service_that_ended(
    start: Start, services: dict[str, Upstream], method: str, status: int, sent: int
) -> None:
    """On a kept connection; it may have been done by then. https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2"""
    gateway, cart = start(GATEWAY_WORKERS="1"), services["cart"]
    before = cart.hits
    cart.control(hang_up=2)
    assert ask(gateway.port, "/api/v1/carts/1").status == 200  # the connection is kept from then on
    assert ask(gateway.port, "/api/v1/carts/1", method).status == status
    assert cart.hits == before + 1 + sent


def test_it_is_the_gateway_that_closes_a_kept_connection_and_before_a_service_that_ends_does(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        gateway = start(ORDERS_ADDRESS="{}:{}".format(*listener.getsockname()))
        asked = pool.submit(ask, gateway.port, "/api/v1/orders", "POST")
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(10)
            assert connection.recv(65536).startswith(b"POST /api/v1/orders HTTP/1.1")
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            begin = time.monotonic()
            assert asked.result().status == 200
            assert connection.recv(1) == b""
            assert 0.5 < time.monotonic() - begin < STOP_KEEPALIVE_LINGER


def test_a_client_who_comes_back_at_once_finds_its_connection_after_a_reload(start: Start) -> None:
    gateway = start()
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=5)
    connection.connect()
    connection.auto_open = 0  # no other one
    connection.request("GET", "/api/v1/carts/1")
    assert connection.getresponse().read()
    gateway.reload()
    time.sleep(0.3)
    connection.request("POST", "/api/v1/carts", b"{}")
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("Connection")) == (200, "close")


@pytest.fixture
def reloading(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A real gunicorn with the services' settings: one worker, threads, kept connections."""
    port = free_port()
    options = ["--worker-class", "gthread", "--threads", "8", "--keep-alive", "75", "--graceful-timeout", "15"]
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        *options,
        "--no-control-socket",
        "-b",
        f"127.0.0.1:{port}",
        "--log-level",
        "critical",
    ]
    process = subprocess.Popen([*command, "tests.support.wsgi"], cwd=Path(__file__).resolve().parent.parent)
    wait_until(lambda: listens(port), "gunicorn listens")
    yield process, port
    process.terminate()
    process.wait(20)


def test_no_request_of_any_kind_fails_while_services_and_gateway_reload(
    start: Start, reloading: tuple[subprocess.Popen[bytes], int]
) -> None:
    process, port = reloading
    gateway = start(CART_ADDRESS=f"127.0.0.1:{port}")
    methods = ("GET", "POST", "PUT", "PATCH", "DELETE")

    with load(lambda i: ask(gateway.port, "/api/v1/carts/1", methods[i % 5], None, b"x" * 100)) as clients:
        for turn in range(8):
            process.send_signal(signal.SIGHUP)
            time.sleep(0.7)
            if turn % 3 == 2:
                gateway.reload()
    assert clients.failed == []
    assert len(clients.seconds) > 500
