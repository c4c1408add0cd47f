"""What the tests of this service share."""

from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
from django.db import connection

from products import clients
from products.domain import categories, products
from products.models import Product
from tests import stand_in

PRODUCTS = "/api/v1/products"


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    """Pictures of a test go to a folder of its own."""
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return tmp_path / "media"


@pytest.fixture
def sell(db: None) -> Callable[..., Product]:
    """``sell("Bananas", price=99)``: goods made as staff make them; variants as ``{sku: (options, price)}``."""
    count = iter(range(1, 10_000))

    def make(name: str, *, price: int = 100, variants: Any = None, currency: str = "USD", **fields: Any) -> Product:
        plain = variants or {f"S{next(count)}": ({}, price)}
        rows = [
            {"sku": sku, "options": options, "price": amount, "currency": currency}
            for sku, (options, amount) in plain.items()
        ]
        page = products.create(name=name, variants=rows, **fields)  # type: ignore[arg-type]

        return Product.objects.get(slug=orjson.loads(page.body)["slug"])

    return make


@pytest.fixture
def shelves(db: None) -> dict[str, str]:
    """Categories by name: Food > Fruit > Tropical, and Toys."""
    food = categories.create(name="Food", parent=None)
    fruit = categories.create(name="Fruit", parent=food.slug)
    tropical = categories.create(name="Tropical", parent=fruit.slug)
    toys = categories.create(name="Toys", parent=None)
    return {node.name: node.slug for node in (food, fruit, tropical, toys)}


@pytest.fixture
def waiting(db: None) -> Iterator[Callable[[], dict[str, int]]]:
    """``waiting()``: how many pages of what was written wait to go into each index of words."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION pgstattuple")

        def ask() -> dict[str, int]:
            cursor.execute(
                "SELECT relname, (pgstatginindex(oid)).pending_pages FROM pg_class"
                " WHERE relam = (SELECT oid FROM pg_am WHERE amname = 'gin') AND relname LIKE 'product%'"
            )
            return dict(cursor.fetchall())

        yield ask
        cursor.execute("DROP EXTENSION pgstattuple")


@pytest.fixture
def stock(monkeypatch):
    """A stock service, stood in for over real HTTP."""
    with stand_in.serving(made := stand_in.Stock()) as url:
        monkeypatch.setenv("STOCK_URL", url)
        clients.stock.cache_clear()
        yield made
    clients.stock.cache_clear()


def listed(api: Any, query: str) -> Any:
    """What ``GET /products`` and what follows it answers."""
    answer = api.get(f"{PRODUCTS}{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()
