"""Which path goes where, and how the service sees it."""

import pytest

from tests.conftest import Start
from tests.support.client import ask
from tests.support.processes import Gateway, Upstream

pytestmark = pytest.mark.usefixtures("services")


@pytest.mark.parametrize(
    ("path", "instance"),
    [
        ("/api/v1/products", "products"),
        ("/api/v1/products/bananas-40-lb", "products"),
        ("/api/v1/stock/1082185", "stock"),
        ("/api/v1/stock?sku=a&sku=b", "stock"),
        ("/api/v1/stock/movements", "stock"),
        ("/api/v1/stock/reservations-are-a-sku", "stock"),
        ("/api/v1/customers/me", "customers"),
        ("/api/v1/customers/.well-known/jwks.json", "customers"),
        ("/api/v1/carts/current", "cart"),
        ("/api/v1/orders", "orders"),
        ("/api/v1/orders/openapi.json", "orders"),
        ("/admin/products/", "products"),
        ("/admin/stock/static/unfold/css/styles.css?v=1", "stock"),
        ("/admin/customers/login/?next=/admin/customers/", "customers"),
        ("/admin/cart/carts/cart/", "cart"),
        ("/admin/orders/", "orders"),
    ],
)
def test_a_path_reaches_its_service_unchanged(gateway: Gateway, path: str, instance: str) -> None:
    answer = ask(gateway.port, path)
    assert answer.status == 200
    assert answer.json()["instance"].startswith(instance)
    assert answer.json()["path"] == path
    assert answer.header("X-Served-By") == answer.json()["instance"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_write_arrives_once_with_method_body_and_path(
    gateway: Gateway, services: dict[str, Upstream], method: str
) -> None:
    before = services["products-1"].hits + services["products-2"].hits
    answer = ask(gateway.port, "/api/v1/products/a%20b?x=1", method, body=b'{"name": "x"}')
    assert (answer.status, answer.json()["method"], answer.json()["body"]) == (200, method, 13)
    assert answer.json()["path"] == "/api/v1/products/a%20b?x=1"
    assert services["products-1"].hits + services["products-2"].hits == before + 1


@pytest.mark.parametrize(
    "path",
    [
        "/internal/",
        "/internal/prices",
        "/livez",
        "/readyz",
        "/metrics",
        "/api/v1/stock/reservations",
        "/api/v1/stock/reservations/7c1",
        "/api/v1/stock/reservations/7c1/commit",
        "/_ready/stock",
        "/_problem",
        "/api/",
        "/api/v2/products",
        "/admin/",
        "/admin/payments/",
        "/favicon.txt",
        "/conf.d/process.conf",
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_what_no_route_names_is_not_found(
    gateway: Gateway, services: dict[str, Upstream], path: str, method: str
) -> None:
    before = {name: service.hits for name, service in services.items()}
    answer = ask(gateway.port, path, method)
    assert (answer.status, answer.json()["code"]) == (404, "not_found")
    assert {name: service.hits for name, service in services.items()} == before


def test_an_admin_without_its_slash_is_redirected(gateway: Gateway) -> None:
    answer = ask(gateway.port, "/admin/stock")
    assert (answer.status, answer.header("Location")) == (301, "/admin/stock/")


def test_reads_are_shared_by_both_products_instances(gateway: Gateway) -> None:
    instances = {ask(gateway.port, f"/api/v1/products?balance={i}").json()["instance"] for i in range(20)}
    assert instances == {"products-1", "products-2"}


def test_the_gateways_own_health_needs_no_service(gateway: Gateway) -> None:
    answer = ask(gateway.port, "/healthz")
    assert (answer.status, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", ["/api/v1/carts", "/api/v1/orders", "/api/v1/stock/movements", "/api/v1/customers"])
def test_reads_and_writes_ride_on_kept_connections(start: Start, path: str) -> None:
    gateway = start(GATEWAY_WORKERS="1")
    answers = [ask(gateway.port, path, method).json() for method in ("GET", "POST", "PUT", "PATCH", "DELETE") * 3]
    # One, but where the machine stands still for a second; with a connection for each write they were thirteen.
    assert len({answer["connection"] for answer in answers}) <= 3
    assert "connection" not in answers[0]["headers"]
