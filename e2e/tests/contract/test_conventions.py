"""What holds for all services: JSON at its word, problem documents, request ids, methods, media types."""

import json
import re
from typing import Any
from uuid import uuid4

import pytest
import urllib3

from support.client import Answer, Client
from support.people import Person, Staff

PREFIXES = ["products", "stock", "customers", "carts", "orders"]
UUID = "5b0ffe0c-6f7f-4ce4-9e5c-0d3a1f1c2b4d"
# One body that each service takes, the person it takes it from, and where to.
WRITES: dict[str, tuple[str, dict[str, Any]]] = {
    "products": ("/products", {"name": "X", "variants": [{"sku": "E2E-C", "price": {"amount": 1, "currency": "USD"}}]}),
    "stock": ("/stock/movements", {"sku": "E2E-C", "kind": "receipt", "quantity": 1, "reason": "e2e"}),
    "customers": ("/customers/token", {"email": "a@example.com", "password": "something long"}),
    "carts": (f"/carts/{UUID}/lines/E2E-C", {"quantity": 1}),
    "orders": (
        "/orders",
        {
            "cart": UUID,
            "email": "a@example.com",
            "shipping_address": {"name": "A", "line1": "B", "city": "C", "postal_code": "D", "country": "GB"},
            "payment": {"method": "test", "token": "tok_ok"},
        },
    ),
}
services = pytest.mark.parametrize("service", PREFIXES)


def write(staff: Staff, service: str, headers: dict[str, str] | None = None, **options: Any) -> Answer:
    """One write of that service, with a key of its own."""
    method = "PUT" if service == "carts" else "POST"
    key = {"Idempotency-Key": str(uuid4())}
    return staff.send(method, "/api/v1" + WRITES[service][0], headers=key | (headers or {}), **options)


@services
def test_the_openapi_document_is_public_and_version_3_1(guest: Person, service: str) -> None:
    answer = guest.get(f"/{service}/openapi.json")
    document = answer.ok()
    assert document["openapi"].startswith("3.1")
    assert document["paths"]
    assert all(path.startswith(f"/api/v1/{service}") for path in document["paths"]), list(document["paths"])
    assert "internal" not in json.dumps(list(document["paths"]))


@services
def test_an_unknown_path_is_a_problem_document(guest: Person, service: str) -> None:
    for path in (f"/{service}/no/such/thing/here", f"/{service}s", f"/{service}/%00", f"/{service}/..%2f..%2fadmin"):
        answer = guest.get(path)
        assert answer.status in (400, 404), (path, answer)


@services
def test_a_trailing_slash_is_no_other_resource(guest: Person, service: str) -> None:
    answer = guest.get(f"/{service}/")
    plain = guest.get(f"/{service}")
    assert answer.status in (404, plain.status), answer


@services
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"7",
        b"\xff\xfe",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b"[" * 3000,
        b'{"a":' * 3000 + b"1" + b"}" * 3000,
        b'{"quantity": 1, "quantity": 2}',
        b'{"email": "\\u0000"}',
        b'{"email": "\\ud800"}',
        b'{"quantity": 1e999}',
        b'{"quantity": 123456789012345678901234567890}',
    ],
    ids=lambda body: body[:24].decode("latin-1").encode("unicode_escape").decode(),
)
def test_a_malformed_body_is_400(staff: Staff, service: str, body: bytes) -> None:
    assert write(staff, service, body=body).status == 400


@services
def test_an_unknown_field_is_named_and_nothing_is_done(staff: Staff, service: str) -> None:
    body = WRITES[service][1] | {"discount_for_friends": 100}
    write(staff, service, data=body).refused(400, "invalid", "discount_for_friends")


@services
@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml", "x"])
def test_another_media_type_is_415(staff: Staff, service: str, media_type: str) -> None:
    body = json.dumps(WRITES[service][1]).encode()
    answer = write(staff, service, body=body, headers={"Content-Type": media_type})
    assert (answer.status, answer.code) == (415, "unsupported_media_type")


@services
def test_a_body_over_a_megabyte_is_413(staff: Staff, service: str) -> None:
    answer = write(staff, service, data={"name": "x" * 1_100_000})
    assert answer.status == 413, answer


@services
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_method_that_a_resource_has_not_is_405_and_says_which_it_has(staff: Staff, service: str, method: str) -> None:
    answer = staff.send(method, f"/api/v1/{service}", {})
    assert (answer.status, answer.code) == (405, "method_not_allowed"), answer
    assert answer.headers["Allow"], answer


@services
@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "BREW"])
def test_an_unknown_method_is_refused(guest: Person, service: str, method: str) -> None:
    answer = guest.send(method, f"/api/v1/{service}")
    assert answer.status in (400, 405), answer


@services
def test_head_is_get_without_a_body(guest: Person, service: str) -> None:
    path = f"/api/v1/{service}/openapi.json"
    head, get = guest.send("HEAD", path), guest.send("GET", path)
    assert (head.status, head.headers["Content-Type"]) == (200, get.headers["Content-Type"])


@services
def test_a_sane_request_id_is_kept_and_another_is_replaced(guest: Person, service: str) -> None:
    path = f"/{service}/openapi.json"
    mine = f"e2e-{uuid4()}"
    assert guest.get(path, headers={"X-Request-ID": mine}).headers["X-Request-ID"] == mine
    first, second = (guest.get(path).headers["X-Request-ID"] for _ in range(2))
    assert first != second
    pool = urllib3.PoolManager(retries=False)
    for bad in ("a b", "<script>", "x" * 200, "é".encode(), ""):
        answer = pool.request("GET", guest.url + "/api/v1" + path, headers={"X-Request-ID": bad})  # type: ignore[dict-item]
        assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", answer.headers["X-Request-ID"]), bad
        assert answer.status == 200


@services
@pytest.mark.parametrize("token", ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJzdGFmZiJ9."])
def test_a_token_that_is_none_is_401(target_url: str, service: str, token: str) -> None:
    path = {"products": "/products", "stock": "/stock/movements", "carts": "/carts/current"}.get(service)
    path = path or {"customers": "/customers/me", "orders": "/orders"}[service]
    method = "POST" if service in ("products", "stock") else "GET"
    forged = Client(target_url, lambda: token)
    assert forged.send(method, "/api/v1" + path, *([{}] if method == "POST" else [])).status == 401


def test_a_token_with_one_changed_letter_is_401(customer: Person) -> None:
    head, claims, signature = customer.token().split(".")
    for forged in (
        f"{head}.{claims[:-2]}AA.{signature}",
        f"{head}.{claims}.{signature[:20]}{'A' if signature[20] != 'A' else 'B'}{signature[21:]}",
    ):
        answer = Client(customer.url, lambda forged=forged: forged).get("/customers/me")  # type: ignore[misc]
        assert answer.status == 401, answer


@pytest.mark.parametrize(
    "path",
    [
        "/metrics",
        "/livez",
        "/readyz",
        "/internal/variants",
        "/internal/availability",
        "/internal/receipts",
        "/api/v1/stock/reservations",
        f"/api/v1/stock/reservations/{UUID}",
        f"/api/v1/stock/reservations/{UUID}/commit",
        "/api/v1/stock/%72eservations/" + UUID,
        "/api/v1/stock//reservations/" + UUID,
        "/api/v1/stock/./reservations/" + UUID,
        "/api/v1/carts/../../internal/variants",
        "/api/v1/products/metrics",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_what_is_for_services_only_is_not_there(staff: Staff, path: str, method: str) -> None:
    answer = staff.send(method, path, *([] if method == "GET" else [{}]))
    assert answer.status in (400, 404, 405), answer
    assert answer.headers["Content-Type"] == "application/problem+json"
    if "reservations" in path or "internal" in path:
        assert answer.status != 405, answer


@services
def test_a_strange_host_is_refused(guest: Person, service: str) -> None:
    answer = guest.get(f"/{service}/openapi.json", headers={"Host": "evil.example.com"})
    assert answer.status in (400, 403, 404, 421), answer


def test_identity_headers_of_a_client_count_nothing(guest: Person) -> None:
    forged = {"X-Forwarded-User": "staff@example.com", "X-User-ID": UUID, "X-Forwarded-For": "10.0.0.1"}
    assert guest.get("/orders", headers=forged).status == 401
    link = guest.get("/products?limit=1", headers={"X-Forwarded-Host": "evil.example.com"}).ok()["next"]
    assert link.startswith(guest.url + "/api/v1/products?"), link
