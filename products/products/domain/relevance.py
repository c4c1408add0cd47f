"""The order of what a search finds: first products with all the words in their name, then those with some of them in
brand, category or SKU; shorter names first, since they say little else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from django.db import connection

from products.domain import shapes

CONFIG = "goods"
QUERY = f"to_tsquery('{CONFIG}', %(tsquery)s)"
KEYS = ["tier", "name_length", "id"]
NEAR = 2000
_TIERS = (f"name_words @@ {QUERY}", f"words @@ {QUERY} AND NOT name_words @@ {QUERY}")
# The sum is no column of an index: PostgreSQL finds the rows first and sorts them then.
_UNINDEXED = "name_length + 0"


@dataclass(frozen=True)
class Ranked:
    """What a search finds, as ``chassis.pages`` reads it. ``where`` is all that narrows it but the words.

    A common word is found by looking through the next ``NEAR`` products of the order, a rare one by its index. Which
    of them is cheaper PostgreSQL would have to guess, and a wrong guess is a walk through the whole catalogue. So it
    does first the one, then the other for what is left, and stops when the page is full.
    """

    where: str
    values: Mapping[str, Any]
    descending: bool = False
    edge: tuple[int, int, int] | None = None

    def order_by(self, *names: str) -> Self:
        """By ``KEYS``; a leading ``-`` turns all of it around."""
        return replace(self, descending=names[0].startswith("-"))

    def beyond(self, names: Sequence[str], edge: Sequence[Any], comparison: str) -> Self:
        """Only what comes after the edge. Raises ValueError for one that holds no numbers."""
        tier, length, id = map(int, edge)
        return replace(self, edge=(tier, length, id))

    def __getitem__(self, part: slice) -> list[dict[str, Any]]:
        """The first rows: a part of the union is only begun when those before it have not filled the page."""
        tiers = range(len(_TIERS))[:: -1 if self.descending else 1]
        parts = (sql for tier in tiers if self._reaches(tier) for sql in self._near_and_far(tier, part.stop))
        sql = " UNION ALL ".join(f"({part})" for part in parts)
        if not sql:
            return []
        _, length, id = self.edge or (0, 0, 0)
        with connection.cursor() as cursor:
            cursor.execute(f"{sql} LIMIT {part.stop:d}", {**self.values, "edge_length": length, "edge_id": id})
            return [dict(zip((*KEYS, "card"), row, strict=True)) for row in cursor.fetchall()]

    def _reaches(self, tier: int) -> bool:
        return self.edge is None or (tier <= self.edge[0] if self.descending else tier >= self.edge[0])

    def _near_and_far(self, tier: int, limit: int) -> tuple[str, str]:
        beyond = ""
        if self.edge is not None and tier == self.edge[0]:
            beyond = f" AND (name_length, id) {'<' if self.descending else '>'} (%(edge_length)s, %(edge_id)s)"
        turned = " DESC" if self.descending else ""
        near = f"""SELECT id FROM products_product WHERE status = 'active'{beyond}
            ORDER BY name_length{turned}, id{turned} LIMIT {NEAR}"""
        found = f"""SELECT {tier} AS tier, name_length, id, {shapes.CARD} AS card FROM products_product
            WHERE {self.where} AND {_TIERS[tier]}"""
        return (
            f"{found} AND id IN ({near}) ORDER BY name_length{turned}, id{turned} LIMIT {limit:d}",
            f"{found}{beyond} AND id NOT IN ({near}) ORDER BY {_UNINDEXED}{turned}, id{turned} LIMIT {limit:d}",
        )
