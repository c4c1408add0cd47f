"""What a cart costs today and how much of it is there: products and stock are asked at each look, at the same time,
and for all who look at the same time together (docs/adr/018-who-asks-the-same-asks-together.md).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from chassis.lookups import Lookups
from django.conf import settings

from cart import clients
from cart.domain.contents import Contents, Item


@dataclass(frozen=True)
class PricedLine:
    """A line at today's price, in minor units.

    ``previous_unit_price`` is what the line cost when it was last set, where that differs: it stays until the line is
    set again, so that reading has no effect and a lost answer hides no change of price. Goods that are no longer sold
    (archived, gone, or in another currency) stay visible with the price and name of that moment, ``available`` 0.
    """

    sku: str
    name: str
    quantity: int
    unit_price: int
    previous_unit_price: int | None
    available: int

    @property
    def total(self) -> int:
        """Quantity × unit price."""
        return self.quantity * self.unit_price


@dataclass(frozen=True)
class PricedCart:
    """A cart at today's prices."""

    id: UUID
    version: int
    lines: tuple[PricedLine, ...]

    @property
    def total(self) -> int:
        """The sum of the lines, in minor units."""
        return sum(line.total for line in self.lines)


@dataclass(frozen=True)
class Market:
    """What products and stock say of some SKUs at one moment."""

    variants: dict[str, clients.Variant]
    available: dict[str, int]

    def line(self, item: Item) -> PricedLine:
        """The item as it is sold now."""
        variant = self.variants.get(item.sku)
        if variant is None or not variant.sellable or variant.currency != settings.CURRENCY:
            return PricedLine(item.sku, item.name, item.quantity, item.unit_price, None, 0)
        previous = item.unit_price if item.unit_price != variant.amount else None
        there = self.available.get(item.sku, 0)
        return PricedLine(item.sku, variant.name, item.quantity, variant.amount, previous, there)


def _ask(skus: Sequence[str]) -> Market:
    return Market(*clients.today(skus))


_MARKET = Lookups(_ask, most=200)


def today(skus: Iterable[str]) -> Market:
    """What the SKUs, and maybe others, cost and how many are there, as of now.

    Raises ``DependencyUnavailable`` if products or stock is down.
    """
    wanted = list(dict.fromkeys(skus))
    return _MARKET(wanted) if wanted else Market({}, {})


def priced(contents: Contents, market: Market | None = None) -> PricedCart:
    """The cart at today's prices; ``market`` where they were asked for already. An empty cart asks nobody."""
    market = market or today(contents.skus)
    return PricedCart(contents.id, contents.version, tuple(market.line(item) for item in contents.items))
