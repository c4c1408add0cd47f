"""The order of what a search finds: first products with all the words in their name (tier 0), then those with some of
them in brand, category or SKU (tier 1); shorter names first, since they say little else.

PostgreSQL's index of words knows no order: what stands in 50,000 products would be read 50,000 times to show 20. So
there is a second index of each word together with the length of the name, and the lengths are gone through one after
the other until the page is full. That is for what stands in many products, which the sample of facets tells; what is
rare is looked up at once and sorted. Both give the same order, so a cursor may go from one to the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from django.db import connection

from products.domain import shapes
from products.models import NAME_LENGTH, SAMPLE

CONFIG = "goods"
QUERY = f"to_tsquery('{CONFIG}', %(tsquery)s)"
KEYS = ["tier", "name_length", "id"]
MANY = 30
"""So many of the sample: some 2,000 products."""
_TIERS = (f"name_words @@ {QUERY}", f"words @@ {QUERY} AND NOT name_words @@ {QUERY}")

_SAMPLE = f"""
    SELECT coalesce(sum((name_words @@ {QUERY})::int), 0) AS tier_0, coalesce(sum((NOT name_words @@ {QUERY})::int), 0) AS tier_1
    FROM products_product WHERE {{where}} AND words @@ {QUERY} AND (hashint8(id) & {SAMPLE - 1}) = 0
"""
# IS TRUE: by no other index, each of which would be read for every length.
_BY_LENGTH = f"""
    SELECT {{tier}} AS tier, length AS name_length, found.id
    FROM generate_series({{first}}, {{last}}, {{step}}) AS length CROSS JOIN LATERAL (
        SELECT id FROM products_product
        WHERE products_ranked(name_words, words, name_length) @@ products_ranked_query(length, {QUERY})
            AND ({{where}} AND {{condition}}{{beyond}}) IS TRUE
        ORDER BY id {{turn}} LIMIT {{limit}}
    ) found WHERE (SELECT tier_{{tier}} >= {{many}} FROM sample) LIMIT {{limit}}
"""
# The sum is no column of an index: PostgreSQL finds the rows first and sorts them then.
_AT_ONCE = f"""
    SELECT {{tier}}, name_length, id FROM products_product
    WHERE {{where}} AND {{condition}}{{beyond}} AND (SELECT tier_{{tier}} < {{many}} FROM sample)
    ORDER BY name_length + 0 {{turn}}, id {{turn}} LIMIT {{limit}}
"""
_PAGE = """
    WITH sample AS MATERIALIZED ({sample}), page AS MATERIALIZED ({parts} LIMIT {limit})
    SELECT tier, page.name_length, page.id, {card}
    FROM page JOIN products_product USING (id) ORDER BY tier {turn}, page.name_length {turn}, page.id {turn}
"""


@dataclass(frozen=True)
class Ranked:
    """What a search finds, as ``chassis.pages`` reads it. ``where`` is all that narrows it but the words."""

    where: str
    values: Mapping[str, Any]
    descending: bool = False
    edge: tuple[int, int, int] | None = None

    def order_by(self, *names: str) -> Self:
        """By ``KEYS``; a leading ``-`` turns all of it around."""
        return replace(self, descending=names[0].startswith("-"))

    def beyond(self, names: Sequence[str], edge: Sequence[Any], comparison: str) -> Self:
        """Only what comes after the edge. Raises ValueError for one that holds no numbers."""
        tier, length, id = (int(str(value)) for value in edge)
        return replace(self, edge=(tier, min(max(length, 1), NAME_LENGTH), id))

    def __getitem__(self, part: slice) -> list[dict[str, Any]]:
        """The first rows: a part of the union is only begun when those before it have not filled the page."""
        tiers = range(len(_TIERS))[:: -1 if self.descending else 1]
        words = {"where": self.where, "many": MANY, "limit": int(part.stop), "turn": "DESC" if self.descending else ""}
        parts = [sql.format(**words, **self._of(tier)) for tier in tiers if self._reaches(tier) for sql in _PARTS]
        if not parts:
            return []
        union = " UNION ALL ".join(f"({sql})" for sql in parts)
        with connection.cursor() as cursor:
            cursor.execute(_PAGE.format(**words, sample=_SAMPLE.format(**words), parts=union, card=shapes.CARD), self.values)
            return [dict(zip((*KEYS, "card"), row, strict=True)) for row in cursor.fetchall()]

    def _reaches(self, tier: int) -> bool:
        return self.edge is None or (tier <= self.edge[0] if self.descending else tier >= self.edge[0])

    def _of(self, tier: int) -> dict[str, object]:
        """What differs between the tiers; the first of them begins at the edge."""
        first, last, step = (NAME_LENGTH, 1, -1) if self.descending else (1, NAME_LENGTH, 1)
        beyond = ""
        if self.edge is not None and tier == self.edge[0]:
            _, first, id = self.edge
            beyond = f" AND (name_length, id) {'<' if self.descending else '>'} ({first:d}, {id:d})"
        return {
            "tier": tier,
            "condition": _TIERS[tier],
            "beyond": beyond,
            "first": first,
            "last": last,
            "step": step,
        }


_PARTS = (_BY_LENGTH, _AT_ONCE)
