"""What a hostile client may try, byte for byte. A refused request also never reached a service."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import Start
from tests.support.client import ask, raw, status_of
from tests.support.processes import Gateway, Upstream


@pytest.fixture
def untouched(services: dict[str, Upstream]) -> Iterator[None]:
    """The test ends with no service having been asked anything."""
    before = {name: service.hits for name, service in services.items()}
    yield
    assert {name: service.hits for name, service in services.items()} == before


def request(line: str, *headers: str, host: str = "localhost", body: str = "") -> bytes:
    """The bytes of a request that is closed after its answer."""
    lines = [line, f"Host: {host}", "Connection: close", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode("latin-1")


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "MKCOL", "LOCK", "PURGE", "get", "G3T"])
def test_unknown_methods(gateway: Gateway, untouched: None, method: str) -> None:
    assert status_of(raw(gateway.port, request(f"{method} /api/v1/carts HTTP/1.1"))) in (400, 405)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "evil.example:80",
        "127.0.0.1.evil",
        "localhost:80:80",
        "localhost@evil",
        "xlocalhost",
        "localhostx",
        "localhost,127.0.0.1",
        "*",
        "169.254.169.254",
        "[::1]",
        "localhost|localhost",
        "",
    ],
)
def test_hosts_that_are_not_ours(gateway: Gateway, untouched: None, host: str) -> None:
    assert status_of(raw(gateway.port, request("GET /api/v1/carts/1 HTTP/1.1", host=host))) == 400


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "localhost:8080", "127.0.0.1", "127.0.0.1:1"])
def test_hosts_that_are(gateway: Gateway, host: str) -> None:
    assert status_of(raw(gateway.port, request("GET /api/v1/carts/1 HTTP/1.1", host=host))) == 200


def test_allowed_hosts_may_be_subdomains_or_everything(start: Start) -> None:
    some = start(ALLOWED_HOSTS="shop.example.com, .example.org,10.0.0.1")
    answers = {
        host: ask(some.port, "/api/v1/carts/1", headers={"Host": host}).status
        for host in (
            "shop.example.com:443",
            "example.org",
            "a.example.org",
            "a.b.example.org",
            "10.0.0.1",
            "example.com",
            "ashop.example.com",
            "example.orga",
            "aexample.org",
            "localhost",
        )
    }
    assert list(answers.values()) == [200] * 5 + [400] * 5, answers
    every = start(ALLOWED_HOSTS="*")
    assert ask(every.port, "/api/v1/carts/1", headers={"Host": "any.thing:1"}).status == 200


def test_two_hosts_none_and_one_in_the_request_line(gateway: Gateway, untouched: None) -> None:
    assert status_of(raw(gateway.port, request("GET /api/v1/carts/1 HTTP/1.1", "Host: localhost"))) == 400
    assert status_of(raw(gateway.port, b"GET /api/v1/carts/1 HTTP/1.1\r\n\r\n")) == 400
    assert status_of(raw(gateway.port, b"GET /api/v1/carts/1 HTTP/1.0\r\n\r\n")) == 400
    assert status_of(raw(gateway.port, request("GET http://127.0.0.1/api/v1/carts/1 HTTP/1.1"))) == 400
    assert status_of(raw(gateway.port, request("GET http://evil.example/api/v1/carts/1 HTTP/1.1"))) == 400


@pytest.mark.parametrize(
    "headers",
    [
        ("Content-Length: 4", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Content-Length: 4"),
        ("Content-Length: 4", "Content-Length: 5"),
        ("Content-Length: 4", "Content-Length: 4"),
        ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked, identity",),
        ("Transfer-Encoding: gzip, chunked",),
        ("Transfer-Encoding: xchunked",),
        ("Transfer-Encoding: \x0bchunked",),
        ("Content-Length: -1",),
        ("Content-Length: +4",),
        ("Content-Length: 4, 4",),
        ("Content-Length: 0x4",),
        ("Content-Length: 99999999999999999999",),
        ("Bad Header: 1",),
        (" Folded: 1",),
        ("X-Nul: a\0b",),
    ],
)
def test_requests_that_servers_could_read_differently(gateway: Gateway, headers: tuple[str, ...]) -> None:
    body = "0\r\n\r\nGET /api/v1/carts/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
    received = raw(gateway.port, request("POST /api/v1/carts HTTP/1.1", *headers, body=body))
    assert status_of(received) in (400, 413, 501), received[:200]
    assert received.count(b"HTTP/1.1 ") == 1
    assert b"smuggled" not in received


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/3.7\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1\r\nHost: localhost\r\n\r\n",
        b"GET /%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /\0 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\rHost: localhost\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\r\n\r\n\r\n\x00",
    ],
)
def test_bytes_that_are_no_request(gateway: Gateway, untouched: None, data: bytes) -> None:
    received = raw(gateway.port, data, timeout=20)
    assert status_of(received) in (0, 400, 505), received[:200]
    assert b"<html" not in received


def test_http_0_9_is_not_spoken(gateway: Gateway, untouched: None) -> None:
    assert b"instance" not in raw(gateway.port, b"GET /api/v1/carts/1\r\n")


@pytest.mark.parametrize(
    "path",
    [
        "//internal/x",
        "/api/v1//stock/reservations/1",
        "/api/v1/stock//reservations/1",
        "/api/v1/stock/%2freservations/1",
        "/api/v1/stock%2freservations/1",
        "/api/v1/stock%2Freservations",
        "/api/v1/stock/x/../reservations/1",
        "/api/v1/stock/./reservations/1",
        "/api/v1/stock/%2e/reservations/1",
        "/api/v1/stock/x/%2e%2e/reservations/1",
        "/api/v1/stock/x/.%2E/reservations/1",
        "/api/v1/products/../../../internal/prices",
        "/api/v1/products/..%2f..%2f..%2finternal",
        "/api/v1/products/%2e%2e/%2e%2e/%2e%2e/internal/prices",
        "/internal/../api/v1/products",
        "/internal/%2e%2e/api/v1/products",
        "/api/v1/products\\..\\..\\internal",
        "/api/v1/products/%5c..%5cinternal",
        "/%2finternal/x",
        "/./internal/x",
        "/api/v1/carts/..",
        "/api/v1/stock/%72eservations/1",
        "/%6detrics",
        "/%69nternal/x",
        "/docs/../internal",
        "/media/..%2f..%2fetc/passwd",
        "/media/../../../../etc/passwd",
        "/docs/swagger-ui/../../nginx.conf",
        "/media../conf/nginx.conf",
        "/assets../nginx.conf",
        "/api/v1/stock/reservations/",
        "/api/v1/stock/reservations/1?x=/api/v1/stock/a",
        "/api/v1/stock/reservations/1#/stock",
    ],
)
def test_no_spelling_reaches_an_internal_route(gateway: Gateway, untouched: None, path: str) -> None:
    received = raw(gateway.port, request(f"GET {path} HTTP/1.1"))
    assert status_of(received) in (400, 404), received[:200]
    assert b'"code":' in received


def test_what_looks_alike_but_is_harmless_still_works(gateway: Gateway) -> None:
    for path in (
        "/api/v1/products?next=//evil/../x",
        "/api/v1/products/a%20b",
        "/api/v1/stock/A..B",
        "/api/v1/stock/.a",
        "/api/v1/products?q=%2f",
    ):
        assert status_of(raw(gateway.port, request(f"GET {path} HTTP/1.1"))) == 200


def test_a_line_that_is_no_header_is_dropped(gateway: Gateway) -> None:
    received = raw(gateway.port, request("GET /api/v1/carts/1 HTTP/1.1", "No-Colon", "Authorization : Bearer x"))
    assert status_of(received) == 400 or b"no-colon" not in received.lower()
    received = raw(gateway.port, request("GET /api/v1/carts/1 HTTP/1.1", "No-Colon"))
    assert (status_of(received), b"no-colon" in received.lower()) == (200, False)


def test_too_many_header_bytes(gateway: Gateway, untouched: None) -> None:
    one = request("GET /api/v1/carts/1 HTTP/1.1", "X-Long: " + "x" * 9000)
    many = request("GET /api/v1/carts/1 HTTP/1.1", *(f"X-{i}: " + "x" * 900 for i in range(60)))
    assert [status_of(raw(gateway.port, data)) for data in (one, many)] == [431, 431]


def test_a_body_that_is_too_large_is_refused_before_it_comes(gateway: Gateway, untouched: None) -> None:
    announced = request("POST /api/v1/carts HTTP/1.1", "Content-Length: 1048577")
    assert status_of(raw(gateway.port, announced)) == 413
    chunks = b"".join(b"10000\r\n" + b"x" * 0x10000 + b"\r\n" for _ in range(17)) + b"0\r\n\r\n"
    sent = request("POST /api/v1/carts HTTP/1.1", "Transfer-Encoding: chunked") + chunks
    assert status_of(raw(gateway.port, sent)) == 413


@pytest.mark.parametrize(
    "forged",
    [
        "X-Forwarded-For: 6.6.6.6",
        "X-FORWARDED-FOR: 6.6.6.6\r\nx-forwarded-for: 6.6.6.6",
        "X_Forwarded_For: 6.6.6.6",
        "X-Forwarded-Host: 6.6.6.6",
        "X-Forwarded-Proto: 6.6.6.6",
        "Forwarded: for=6.6.6.6",
        "X-Real-IP: 6.6.6.6",
        "Script-Name: /6.6.6.6",
        "SCRIPT_NAME: /6.6.6.6",
        "Path-Info: /6.6.6.6",
        "Remote-User: 6.6.6.6",
        "X-Customer-Id: 6.6.6.6",
        "X-Customer: 6.6.6.6",
        "X-Request-Start: t=6.6.6.6",
        "X-Timeout-Ms: 6.6.6.6",
        "Connection: X-Real-IP\r\nX-Real-IP: 6.6.6.6",
    ],
)
def test_a_forged_header_does_not_arrive(gateway: Gateway, forged: str) -> None:
    for line in (
        "GET /api/v1/orders/1 HTTP/1.1",
        "GET /api/v1/products/forged HTTP/1.1",
        "POST /api/v1/carts HTTP/1.1",
    ):
        received = raw(gateway.port, request(line, forged, "Cookie: past=the-cache"))
        assert (status_of(received), b"6.6.6.6" in received) == (200, False)


def test_slow_clients_are_cut_off_in_ten_seconds(gateway: Gateway, untouched: None) -> None:
    clients = {
        "says nothing": (b"", b""),
        "drips its headers": (b"GET /api/v1/carts/1 HTTP/1.1\r\nHost: localhost\r\nX: ", b"x"),
        "stops in its body": (b"POST /api/v1/carts HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\na", b""),
    }
    with ThreadPoolExecutor(len(clients)) as pool:
        seconds = dict(
            zip(clients, pool.map(lambda it: seconds_until_closed(gateway.port, *it), clients.values()), strict=True)
        )
    assert all(9 < it < 12 for it in seconds.values()), seconds


def seconds_until_closed(port: int, head: bytes, drip: bytes) -> float:
    """How long the gateway keeps a connection that sends `drip` once a second."""
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        connection.sendall(head)
        connection.settimeout(1)
        while time.monotonic() - started < 20:
            try:
                if connection.recv(4096) == b"":
                    break
            except TimeoutError:
                connection.sendall(drip)
            except OSError:
                break
    return time.monotonic() - started


def test_many_slow_clients_do_not_keep_others_out(gateway: Gateway) -> None:
    slow = [socket.create_connection(("127.0.0.1", gateway.port)) for _ in range(300)]
    for connection in slow:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
    seconds = [ask(gateway.port, "/api/v1/carts/1").seconds for _ in range(20)]
    for connection in slow:
        connection.close()
    assert max(seconds) < 0.5


def test_pipelined_requests_are_each_checked(gateway: Gateway) -> None:
    data = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" + request("GET /metrics HTTP/1.1")
    received = raw(gateway.port, data)
    assert (status_of(received), received.count(b"HTTP/1.1 404")) == (200, 1)


def test_no_answer_names_a_version_or_a_path(gateway: Gateway) -> None:
    for data in (request("GET / HTTP/1.1"), request("GET /x HTTP/1.1"), b"X\r\n\r\n", request("GET /assets HTTP/1.1")):
        received = raw(gateway.port, data)
        assert b"Server: nginx\r\n" in received
        assert str(gateway.folder).encode() not in received


def test_metrics_are_on_their_own_port_only(gateway: Gateway) -> None:
    assert ask(gateway.port, "/metrics").status == 404
    assert ask(gateway.metrics_port, "/metrics").status == 200
    assert ask(gateway.metrics_port, "/api/v1/products").status == 404


@pytest.mark.parametrize("target", ["/api/v1/products?q=caf\u00e9", "/api/v1/stock/\u00e9", "/api/v1/carts/1?a=\x7f"])
def test_an_address_that_is_not_percent_encoded_is_refused_with_a_problem(
    gateway: Gateway, untouched: None, target: str
) -> None:
    answer = raw(gateway.port, request(f"GET {target} HTTP/1.1"))
    assert status_of(answer) == 400
    assert b"application/problem+json" in answer
    assert b"percent-encoded" in answer


def test_a_service_cannot_make_the_gateway_serve_a_file(gateway: Gateway, services: dict[str, Upstream]) -> None:
    services["cart"].control(headers={"X-Accel-Redirect": "/_problem", "X-Accel-Limit-Rate": "1"})
    assert ask(gateway.port, "/api/v1/carts/1").json()["instance"] == "cart"


def test_an_image_cannot_run_anything(gateway: Gateway) -> None:
    (gateway.folder / "media" / "a.html").write_text("<script>alert(1)</script>")
    (gateway.folder / "media" / "a.png").write_bytes(b"\x89PNG")
    assert ask(gateway.port, "/media/a.png").header("Content-Type") == "image/png"
    for name in ("a.html", "a.png"):
        answer = ask(gateway.port, f"/media/{name}")
        assert answer.header("Content-Security-Policy") == "default-src 'none'; sandbox"
        assert answer.header("X-Content-Type-Options") == "nosniff"
