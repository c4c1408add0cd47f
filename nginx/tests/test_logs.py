"""One JSON line a request, and no secret in any of them."""

import json
from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import Start
from tests.support.client import ask, raw
from tests.support.processes import Gateway, Upstream, free_port, wait_until

TOKEN = "s3cr3t-access-token"  # noqa: S105


def lines(gateway: Gateway, request_id: str) -> list[dict[str, Any]]:
    """The access log's lines of one request; they are written every second."""

    def found() -> list[dict[str, Any]]:
        text = (gateway.folder / "access.log").read_text()
        return [line for line in map(json.loads, text.splitlines()) if line["request_id"] == request_id]

    result: list[dict[str, Any]] = wait_until(found, f"a line with {request_id}", 5)
    return result


def test_a_line_has_what_is_needed_to_follow_a_request(gateway: Gateway, services: dict[str, Upstream]) -> None:
    headers = {"X-Request-ID": "log-1", "User-Agent": 'a "quoted" \\ agent', "traceparent": "00-1-2-01"}
    services["cart"].control(headers={"X-Customer": "c-1"})
    answer = ask(gateway.port, "/api/v1/carts/1?secret=1", "DELETE", headers)
    assert answer.headers("X-Customer") == []
    (line,) = lines(gateway, "log-1")
    assert line.pop("time").startswith("20")
    assert 0 <= float(line.pop("upstream_time")) <= line.pop("duration") + 0.002 < 1
    assert float(line.pop("upstream_connect_time")) < 1
    assert line.pop("bytes") > 100
    assert line == {
        "request_id": "log-1",
        "method": "DELETE",
        "path": "/api/v1/carts/1",
        "route": "carts",
        "status": 200,
        "client": "127.0.0.1",
        "protocol": "HTTP/1.1",
        "upstream": f"127.0.0.1:{services['cart'].port}",
        "upstream_status": "200",
        "instance": "cart",
        "customer": "c-1",
        "cache": "",
        "traceparent": "00-1-2-01",
        "user_agent": 'a "quoted" \\ agent',
    }


def test_errors_of_the_gateway_are_logged_as_they_were_asked(gateway: Gateway) -> None:
    ask(gateway.port, "/nowhere?x=1", "POST", {"X-Request-ID": "log-2"})
    (line,) = lines(gateway, "log-2")
    assert (line["method"], line["path"], line["status"], line["upstream"]) == ("POST", "/nowhere", 404, "")


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/api/v1/stock/%E9", "/api/v1/stock/%E9"),
        ("/api/v1/stock/caf%C3%A9?a=b", "/api/v1/stock/caf%C3%A9"),
        ("/api/v1/stock/caf\u00e9?a=b", "/api/v1/stock/caf"),
        ("/api/v1/stock/a%20b", "/api/v1/stock/a b"),
    ],
)
def test_a_line_is_json_whatever_bytes_were_sent(gateway: Gateway, target: str, path: str) -> None:
    id = f"log-{uuid4().hex}"
    head = f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Request-ID: {id}\r\n"
    raw(gateway.port, f"{head}User-Agent: caf\u00e9\r\ntraceparent: \u00e9\r\n\r\n".encode("latin-1"))
    (line,) = lines(gateway, id)
    assert (line["path"], line["user_agent"], line["traceparent"]) == (path, "(not ASCII)", "")


def test_a_retry_shows_both_instances(start: Start, services: dict[str, Upstream]) -> None:
    dead = free_port()
    gateway = start(PRODUCTS_1_ADDRESS=f"127.0.0.1:{dead}")
    for i in range(4):
        assert ask(gateway.port, f"/api/v1/products?{i}", headers={"X-Request-ID": f"retry-{i}"}).status == 200
    upstreams = [lines(gateway, f"retry-{i}")[0]["upstream"] for i in range(4)]
    assert f"127.0.0.1:{dead}, 127.0.0.1:{services['products-2'].port}" in upstreams


@pytest.mark.parametrize("level", ["emerg", "error"])
def test_an_access_token_is_in_no_log(start: Start, services: dict[str, Upstream], level: str) -> None:
    gateway = start(GATEWAY_ERROR_LEVEL=level, PRODUCTS_1_ADDRESS=f"127.0.0.1:{free_port()}")
    services["orders"].control(delay=0.3)
    order = f"/api/v1/orders/7?access_token={TOKEN}"
    ask(gateway.port, order)
    ask(gateway.port, f"{order}&x=" + "x" * 9000)
    ask(gateway.port, f"/api/v1//orders/7?access_token={TOKEN}")
    ask(gateway.port, f"/nowhere?access_token={TOKEN}", headers={"Referer": f"http://localhost{order}"})
    raw(gateway.port, f"GET {order} HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n".encode())
    raw(gateway.port, f"GET {order} HTTP/1.1\r\nHost: evil\r\nConnection: close\r\n\r\n".encode())
    raw(gateway.port, f"GET {order} HTTP/9.9\r\nHost: localhost\r\n\r\n".encode())
    if level == "emerg":
        for i in range(4):
            ask(gateway.port, f"/api/v1/products?{i}", headers={"Referer": f"http://localhost{order}"})
    services["orders"].end()
    try:
        assert ask(gateway.port, order, headers={"X-Request-ID": "last"}).status == 503
    finally:
        services["orders"].start()
    assert lines(gateway, "last")[0]["path"] == "/api/v1/orders/7"
    for name in ("access.log", "error.log"):
        assert TOKEN not in (gateway.folder / name).read_text()
