"""What is passed on, what is said back."""

import re
import time

import pytest

from tests.conftest import Start
from tests.support.client import ask
from tests.support.processes import Gateway, Upstream

pytestmark = pytest.mark.usefixtures("services")
ORIGIN = "https://shop.example.com"


@pytest.mark.parametrize("own", ["a", "A.b_c-9", "x" * 64])
def test_a_sane_request_id_is_kept(gateway: Gateway, own: str) -> None:
    answer = ask(gateway.port, "/api/v1/carts/1", headers={"X-Request-ID": own})
    assert answer.header("X-Request-ID") == own
    assert answer.json()["headers"]["x-request-id"] == own


@pytest.mark.parametrize("own", [None, "", "x" * 65, "a b", 'a"b', "a/b", "é", "a, b"])
def test_any_other_is_replaced(gateway: Gateway, own: str | None) -> None:
    answer = ask(gateway.port, "/api/v1/carts/1", headers={} if own is None else {"X-Request-ID": own})
    made = answer.header("X-Request-ID")
    assert made
    assert re.fullmatch(r"[0-9a-f]{32}", made)
    assert answer.json()["headers"]["x-request-id"] == made


def test_a_cached_answer_has_the_id_of_who_asks(gateway: Gateway) -> None:
    ids = [
        ask(gateway.port, "/api/v1/products?ids", headers={"X-Request-ID": own}).header("X-Request-ID") for own in "ab"
    ]
    assert ids == ["a", "b"]


def test_no_forged_header_reaches_a_service(gateway: Gateway) -> None:
    forged = {
        "X-Forwarded-For": "6.6.6.6",
        "X-Forwarded-Host": "evil",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Prefix": "/x",
        "Forwarded": "for=6.6.6.6",
        "X-Real-IP": "6.6.6.6",
        "Script-Name": "/evil",
        "Script_Name": "/evil",
        "Path-Info": "/internal",
        "X-Script-Name": "/evil",
        "Remote-User": "root",
        "X-Remote-User": "root",
        "X-User-Id": "1",
        "X-Customer-Id": "1",
        "X-Authenticated-Userid": "1",
        "X-Timeout-Ms": "99999999",
        "X-Request-Start": "t=1",
        "X-HTTP-Method-Override": "DELETE",
        "X-Original-URL": "/internal",
        "Proxy": "http://evil",
        "X-Some-Header-Of-Tomorrow": "root",
    }
    for path, method in (("/api/v1/orders", "POST"), ("/admin/orders/", "GET"), ("/api/v1/products/forged", "GET")):
        seen = ask(gateway.port, path, method, forged).json()["headers"]
        ours = {"x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "http"}
        assert {name: seen.pop(name) for name in ours} == ours
        assert seen.pop("x-request-start") != "t=1"
        assert seen.pop("x-timeout-ms") != "99999999"
        assert set(seen) <= {"host", "connection", "x-request-id", "content-length", "accept-encoding"}


def test_what_a_service_needs_arrives(gateway: Gateway) -> None:
    sent = {
        "accept": "application/json",
        "accept-language": "fr",
        "authorization": "Bearer abc",
        "content-type": "application/json",
        "cookie": "sessionid=1",
        "idempotency-key": "k1",
        "if-none-match": '"2"',
        "referer": "http://localhost/",
        "origin": "http://localhost",
        "user-agent": "test",
        "x-csrftoken": "t",
        "hx-request": "true",
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "tracestate": "a=b",
        "if-modified-since": "Sun, 22 Nov 2026 18:37:32 GMT",
    }
    seen = ask(gateway.port, "/api/v1/products/needs", headers=sent).json()["headers"]
    assert {name: seen.get(name) for name in sent} == sent
    assert seen["host"] == f"127.0.0.1:{gateway.port}"


def test_a_write_carries_its_precondition(gateway: Gateway) -> None:
    assert ask(gateway.port, "/api/v1/products/a", "PATCH", {"If-Match": '"1"'}).json()["headers"]["if-match"] == '"1"'


def test_a_service_learns_when_the_request_left_and_how_long_we_wait(gateway: Gateway) -> None:
    seen = ask(gateway.port, "/api/v1/orders", "POST").json()["headers"]
    assert abs(float(seen["x-request-start"].removeprefix("t=")) - time.time()) < 2
    patience = {
        path: ask(gateway.port, path, method).json()["headers"]["x-timeout-ms"]
        for path, method in (
            ("/api/v1/products/patience", "GET"),
            ("/api/v1/products", "POST"),
            ("/api/v1/stock/1", "GET"),
            ("/api/v1/stock/movements", "POST"),
            ("/api/v1/carts", "POST"),
            ("/api/v1/customers", "POST"),
            ("/api/v1/orders", "POST"),
            ("/admin/orders/", "GET"),
            ("/api/v1/products/a/images", "POST"),
        )
    }
    assert list(patience.values()) == ["1400", "5000", "1400", "5000", "5000", "5000", "15000", "60000", "15000"]


def test_production_does_not_name_the_instance(start: Start, services: dict[str, Upstream]) -> None:
    gateway = start(DJANGO_ENV="production")
    assert ask(gateway.port, "/api/v1/carts/1").header("X-Served-By") is None
    assert ask(gateway.port, "/api/v1/products/x").header("X-Served-By") is None


def test_the_instance_has_a_name_even_when_it_does_not_say_it(gateway: Gateway, services: dict[str, Upstream]) -> None:
    services["cart"].control(headers={"X-Served-By": ""})
    assert ask(gateway.port, "/api/v1/carts/1").header("X-Served-By") == "cart"


def test_security_headers_come_once_on_everything(gateway: Gateway) -> None:
    documents = ("/", "/docs/", "/admin/stock/")
    for path in (*documents, "/nowhere", "/healthz", "/health", "/api/v1/products", "/api/v1/orders"):
        answer = ask(gateway.port, path)
        assert answer.header("X-Content-Type-Options") == "nosniff"
        assert answer.header("X-Frame-Options") == ("DENY" if path in documents else None)
        assert answer.header("Referrer-Policy") == ("same-origin" if path in documents else None)
        assert answer.header("Server") == "nginx"
        assert answer.header("Strict-Transport-Security") is None


def test_no_origin_is_known_by_default(gateway: Gateway) -> None:
    answer = ask(gateway.port, "/api/v1/orders", headers={"Origin": ORIGIN})
    assert [name for name, _ in answer.lines if name.lower().startswith("access-control")] == []


def test_a_known_origin_may_read(start: Start) -> None:
    gateway = start(CORS_ALLOWED_ORIGINS=f"http://localhost:3000, {ORIGIN}")
    for path in ("/api/v1/products", "/api/v1/orders", "/nowhere"):
        answer = ask(gateway.port, path, headers={"Origin": ORIGIN})
        assert answer.header("Access-Control-Allow-Origin") == ORIGIN
        assert answer.header("Access-Control-Allow-Credentials") is None
        exposed = answer.header("Access-Control-Expose-Headers")
        assert exposed == "X-Request-ID, ETag, Location, Idempotent-Replayed, Retry-After"
        assert "Origin" in answer.headers("Vary")
    for stranger in (
        "https://evil.example",
        "https://shop.example.com.evil",
        "https://shop.example.co",
        "null",
        f"{ORIGIN},x",
    ):
        answer = ask(gateway.port, "/api/v1/products", headers={"Origin": stranger})
        assert answer.header("Access-Control-Allow-Origin") is None


def test_a_preflight_is_answered_here(start: Start, services: dict[str, Upstream]) -> None:
    gateway = start(CORS_ALLOWED_ORIGINS=ORIGIN, CORS_ALLOW_CREDENTIALS="true")
    before = services["orders"].hits
    asked = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "idempotency-key",
    }
    answer = ask(gateway.port, "/api/v1/orders", "OPTIONS", asked)
    assert (answer.status, answer.body) == (204, b"")
    assert answer.header("Access-Control-Allow-Origin") == ORIGIN
    assert answer.header("Access-Control-Allow-Credentials") == "true"
    assert "POST" in (answer.header("Access-Control-Allow-Methods") or "")
    assert "Idempotency-Key" in (answer.header("Access-Control-Allow-Headers") or "")
    assert answer.header("Access-Control-Max-Age") == "600"
    refused = ask(gateway.port, "/api/v1/orders", "OPTIONS", {**asked, "Origin": "https://evil.example"})
    assert refused.header("Access-Control-Allow-Methods") is None
    assert services["orders"].hits == before
    assert ask(gateway.port, "/api/v1/orders", "OPTIONS").json()["method"] == "OPTIONS"
