"""What the tests of this service share."""

from collections.abc import Callable
from uuid import uuid4

import pytest

from stock.domain import levels, reservations
from stock.models import Level


@pytest.fixture
def shelf(db: None) -> Callable[..., None]:
    """``shelf(A=5, B=2)``: goods on the shelf, received as they would be."""

    def fill(**quantities: int) -> None:
        for sku, quantity in quantities.items():
            levels.receive(sku=sku, quantity=quantity, reason="opening", actor="test")

    return fill


@pytest.fixture
def hold() -> Callable[..., reservations.Held]:
    """``hold(A=2)``: a reservation, under a new id."""

    def make(ttl: int = 900, **lines: int) -> reservations.Held:
        return reservations.reserve(id=uuid4(), lines=lines, ttl=ttl)

    return make


def state_of(sku: str) -> tuple[int, int]:
    """(on hand, reserved) of a SKU, as the database has it."""
    return Level.objects.values_list("on_hand", "reserved").get(pk=sku)
