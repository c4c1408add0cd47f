"""What the tests of this service share."""

from collections.abc import Callable, Iterator
from uuid import UUID

import pytest

from cart import clients
from cart.domain import carts, lines
from cart.models import Cart, Line
from tests.neighbours import Neighbours, running


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Neighbours]:
    """Products and stock, with A at 1.00 and B at 2.50 on sale, ten of each; reached over real HTTP."""
    neighbours = Neighbours()
    neighbours.sell("A", 100)
    neighbours.sell("B", 250)
    with running(neighbours):
        for name in ("PRODUCTS_URL", "STOCK_URL"):
            monkeypatch.setenv(name, neighbours.url)
        clients._products.cache_clear()
        clients._stock.cache_clear()
        yield neighbours


@pytest.fixture
def filled(shop: Neighbours) -> Callable[..., UUID]:
    """``filled(A=2, B=1)``: a guest's cart, or ``filled(customer, A=2)``: that customer's."""

    def make(customer: UUID | None = None, **quantities: int) -> UUID:
        id = carts.open_cart(customer=customer).id
        for sku, quantity in quantities.items():
            lines.put(id=id, customer=customer, sku=sku, quantity=quantity)
        return id

    return make


def inside(id: UUID) -> dict[str, int]:
    """Quantities by SKU as the database has them; the counter of lines is right, too."""
    found = dict(Line.objects.filter(cart=id).values_list("sku", "quantity"))
    assert Cart.objects.values_list("line_count", flat=True).get(pk=id) == len(found)
    return found


def version_of(id: UUID) -> int:
    """The cart's version as the database has it."""
    return Cart.objects.values_list("version", flat=True).get(pk=id)
