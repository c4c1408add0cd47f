"""The gateway's own errors are RFC 9457 documents; what a service answers passes untouched."""

import pytest

from tests.conftest import Start
from tests.support.client import Answer, ask, raw
from tests.support.processes import SERVICES, Gateway, Upstream, free_port


def assert_problem(answer: Answer, status: int, code: str) -> None:
    """A complete problem document that agrees with the answer's own headers."""
    assert answer.status == status
    assert (answer.header("Content-Type") or "").split(";")[0] == "application/problem+json"
    document = answer.json()
    assert set(document) == {"type", "title", "status", "detail", "code", "request_id"}
    assert (document["status"], document["code"]) == (status, code)
    assert document["type"] == f"urn:comptoir:problem:{code}"
    assert document["title"]
    assert document["detail"]
    assert document["request_id"] == answer.header("X-Request-ID")
    assert answer.header("Cache-Control") == "no-store"
    assert answer.header("X-Served-By") is None


def test_not_found(gateway: Gateway) -> None:
    assert_problem(ask(gateway.port, "/nowhere"), 404, "not_found")


def test_method_not_allowed_names_those_that_are(gateway: Gateway) -> None:
    answer = ask(gateway.port, "/api/v1/products", "PROPFIND")
    assert_problem(answer, 405, "method_not_allowed")
    assert answer.header("Allow") == "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"


@pytest.mark.parametrize("path", ["/", "/docs/", "/docs/swagger-ui/swagger-ui.css"])
def test_pages_cannot_be_posted_to(gateway: Gateway, path: str) -> None:
    answer = ask(gateway.port, path, "POST")
    assert_problem(answer, 405, "method_not_allowed")
    assert answer.header("Allow") == "GET, HEAD"


@pytest.mark.parametrize(
    "path", ["/nowhere.png", "/media/none.png", "/docs/none.html", "/docs/swagger-ui/", "/assets/"]
)
def test_files_that_are_not_there(gateway: Gateway, path: str) -> None:
    assert_problem(ask(gateway.port, path), 404, "not_found")


def test_ranges_are_not_served(gateway: Gateway) -> None:
    ranges = {"Range": "bytes=0-1,1-2,99999999-"}
    assert ask(gateway.port, "/docs/swagger-ui/swagger-ui.css", headers=ranges).status == 200


def test_a_precondition_that_fails(gateway: Gateway) -> None:
    answer = ask(gateway.port, "/docs/swagger-ui/swagger-ui.css", headers={"If-Match": '"x"'})
    assert_problem(answer, 412, "precondition_failed")


def test_body_too_large(gateway: Gateway, services: dict[str, Upstream]) -> None:
    before = services["cart"].hits
    assert_problem(ask(gateway.port, "/api/v1/carts", "POST", body=b"x" * (1024 * 1024 + 1)), 413, "body_too_large")
    assert services["cart"].hits == before
    assert ask(gateway.port, "/api/v1/carts", "POST", body=b"x" * 1024 * 1024).json()["body"] == 1024 * 1024


def test_images_may_be_ten_megabytes(gateway: Gateway) -> None:
    megabytes = 1024 * 1024
    answer = ask(gateway.port, "/api/v1/products/a/images", "POST", body=b"x" * 10 * megabytes)
    assert (answer.status, answer.json()["body"]) == (200, 10 * megabytes)
    too_large = ask(gateway.port, "/api/v1/products/a/images", "POST", body=b"x" * (10 * megabytes + 1))
    assert_problem(too_large, 413, "body_too_large")


def test_uri_too_long(gateway: Gateway) -> None:
    assert_problem(ask(gateway.port, "/api/v1/products?q=" + "x" * 8200), 414, "uri_too_long")


def test_headers_too_large(gateway: Gateway) -> None:
    assert_problem(ask(gateway.port, "/api/v1/products", headers={"X-Long": "x" * 8200}), 431, "headers_too_large")


def test_host_not_allowed(gateway: Gateway) -> None:
    assert_problem(ask(gateway.port, "/", headers={"Host": "evil.example"}), 400, "host_not_allowed")


def test_unreadable_request(gateway: Gateway) -> None:
    received = raw(gateway.port, b"NONSENSE\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in received
    assert b'"code":"malformed_request"' in received


def test_a_service_that_is_down_is_503_with_retry_after(start: Start) -> None:
    names = {f"{name.upper().replace('-', '_')}_ADDRESS": f"127.0.0.1:{free_port()}" for name in SERVICES}
    gateway = start(**names)
    for path in ("/api/v1/products", "/api/v1/stock/1", "/api/v1/customers/me", "/api/v1/carts/1", "/api/v1/orders"):
        for method in ("GET", "POST"):
            answer = ask(gateway.port, path, method)
            assert_problem(answer, 503, "service_unavailable")
            assert answer.header("Retry-After") == "1"


def test_a_service_that_is_late_is_503_with_retry_after(gateway: Gateway, services: dict[str, Upstream]) -> None:
    services["stock"].control(delay=3)
    answer = ask(gateway.port, "/api/v1/stock/1")
    assert_problem(answer, 503, "service_unavailable")
    assert answer.header("Retry-After") == "1"
    assert 1.3 < answer.seconds < 2.9


@pytest.mark.parametrize("status", [400, 404, 405, 409, 413, 429, 500, 502, 503])
def test_a_services_own_error_passes_untouched(gateway: Gateway, services: dict[str, Upstream], status: int) -> None:
    services["orders"].control(status=status, headers={"Retry-After": "7"}, value="mine")
    answer = ask(gateway.port, "/api/v1/orders", "POST")
    assert (answer.status, answer.json()["value"], answer.header("Retry-After")) == (status, "mine", "7")


def test_server_errors_of_both_instances_pass_untouched(gateway: Gateway, services: dict[str, Upstream]) -> None:
    for name in ("products-1", "products-2"):
        services[name].control(status=503, headers={"Retry-After": "3"}, value="mine")
    answer = ask(gateway.port, "/api/v1/products/untouched")
    assert (answer.status, answer.json()["value"], answer.header("Retry-After")) == (503, "mine", "3")
