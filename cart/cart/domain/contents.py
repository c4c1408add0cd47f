"""What is in a cart, and the carts that this process changed lately, as it left them: whoever changes one of them again
needs no look at it first. Whether it still was so, its version tells afterwards (``lines.put``).
"""

from dataclasses import dataclass, replace
from threading import Lock
from uuid import UUID

_MOST = 1000
_lock, _recent = Lock(), dict[UUID, "Contents"]()


@dataclass(frozen=True)
class Item:
    """A line as it was set: ``unit_price`` (minor units) and ``name`` are those of that moment."""

    sku: str
    quantity: int
    name: str
    unit_price: int


@dataclass(frozen=True)
class Contents:
    """A cart's lines in the order in which they were added; ``version`` counts their changes."""

    id: UUID
    version: int
    items: tuple[Item, ...]
    busy: bool = False
    """An order is being made of it: ``checkout``."""
    checkout: UUID | None = None

    @property
    def skus(self) -> list[str]:
        """What is in it."""
        return [item.sku for item in self.items]

    def with_quantity(self, item: Item) -> "Contents":
        """The contents with the item's quantity in them, as one change; unchanged where it was so before."""
        old = {each.sku: each for each in self.items}.get(item.sku)
        if old is None:
            return replace(self, version=self.version + 1, items=(*self.items, item))
        if old.quantity == item.quantity:
            return self
        return replace(self._with(replace(old, quantity=item.quantity)), version=self.version + 1)

    def as_stored(self, item: Item) -> "Contents":
        """The contents after ``with_quantity``, the line with its new name and price: as the next one finds them."""
        return self._with(item)

    def _with(self, item: Item) -> "Contents":
        return replace(self, items=tuple(item if each.sku == item.sku else each for each in self.items))


def remember(contents: Contents) -> Contents:
    """Remembers the cart, and forgets the one that was changed longest ago where there are too many."""
    with _lock:
        _recent.pop(contents.id, None)
        _recent[contents.id] = contents
        if len(_recent) > _MOST:
            del _recent[next(iter(_recent))]
    return contents


def recall(id: UUID) -> Contents | None:
    """The cart as it was left here: a guess, never an answer."""
    return _recent.get(id)
