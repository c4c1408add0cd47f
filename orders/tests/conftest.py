"""A shop around the orders service, and the real test payment provider."""

import os
import threading
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import psycopg2
import pytest

from orders import clients, provider
from testpay.charges import Charges
from testpay.server import Server
from tests.shop import Shop, ShopServer

ADDRESS = {"name": "Ada", "line1": "1 Main St", "city": "Springfield", "postal_code": "12345", "country": "US"}
SECRET = "a secret for tests only"


def serve(server: Any) -> str:
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}"


@pytest.fixture(scope="session")
def charges() -> Charges:
    """The provider's own database: not the one that tests roll back."""
    server, name = os.environ["COMPTOIR_TEST_POSTGRES"], f"testpay_{uuid4().hex}"
    admin = psycopg2.connect(f"{server}/postgres")
    admin.autocommit = True
    with admin.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    admin.close()
    made = Charges(f"{server}/{name}")
    made.make_table()
    return made


@pytest.fixture
def shop(charges: Charges, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """Cart, products, stock and the provider, as in a running shop; ten of A (at 2.50), B (1.00), C (free)."""
    around, pay = ShopServer(), Server(("127.0.0.1", 0), charges, SECRET)
    url = serve(around)
    for name in ("CART_URL", "PRODUCTS_URL", "STOCK_URL"):
        monkeypatch.setenv(name, url)
    monkeypatch.setenv("PAYMENT_URL", serve(pay))
    monkeypatch.setenv("PAYMENT_SECRET", SECRET)
    clients._client.cache_clear()
    provider._client.cache_clear()
    around.shop.fill(A=250, B=100, C=0)
    yield around.shop
    around.shutdown()
    pay.shutdown()


@pytest.fixture
def buy(api: Any) -> Callable[..., Any]:
    """``buy(cart, token="tok_ok", key=…)``: posts an order."""

    def post(in_cart: str, *, key: str | None = None, headers: dict[str, str] | None = None, **change: Any) -> Any:
        payment = {"method": change.pop("method", "test"), "token": change.pop("token", "tok_ok")}
        body = {"cart": in_cart, "email": "ada@example.com", "shipping_address": ADDRESS, "payment": payment} | change
        return api.post("/api/v1/orders", body, (headers or {}) | {"Idempotency-Key": key or uuid4().hex})

    return post
