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

from chassis import prepared
from chassis.pages import MOST
from django.db import connection

from products.domain import shapes
from products.models import NAME_LENGTH, SAMPLE

CONFIG = "goods"
QUERY = f"to_tsquery('{CONFIG}', %(tsquery)s)"
KEYS = ["tier", "name_length", "id"]
MANY = 6
"""So many of the sample: some 400 products."""
ENOUGH = 1_000
"""Of the sample; more of it says no more."""
_ASKED = f"(SELECT {QUERY})"
"""Read once, where a prepared statement would read it for every row."""
_TIERS = (f"name_words @@ {_ASKED}", f"words @@ {_ASKED} AND NOT name_words @@ {_ASKED}")

_SAMPLE = f"""
    SELECT count(*) FILTER (WHERE in_name) AS tier_0, count(*) FILTER (WHERE NOT in_name) AS tier_1 FROM (
        SELECT name_words @@ {_ASKED} AS in_name FROM products_product
        WHERE {{where}} AND words @@ {_ASKED} AND (hashint8(id) & {SAMPLE - 1}) = 0 LIMIT {ENOUGH}
    ) found
"""
# IS TRUE: by no other index, each of which would be read for every length.
_BY_LENGTH = f"""
    SELECT {{tier}} AS tier, length AS name_length, found.id
    FROM generate_series({{first}}, {{last}}, {{step}}) AS length CROSS JOIN LATERAL (
        SELECT id FROM products_product
        WHERE products_ranked(name_words, words, name_length) @@ products_ranked_query(length, {{kinds}}, {_ASKED})
            AND ({{where}} AND {{condition}}{{beyond}}) IS TRUE
        ORDER BY id {{turn}} LIMIT {MOST}
    ) found WHERE (SELECT tier_{{tier}} >= %(many)s FROM sample) LIMIT {MOST}
"""
# The sum is no column of an index: PostgreSQL finds the rows first and sorts them then.
_AT_ONCE = f"""
    SELECT {{tier}} AS tier, name_length, id FROM products_product
    WHERE {{where}} AND {{condition}}{{beyond}} AND (SELECT tier_{{tier}} < %(many)s FROM sample)
    ORDER BY name_length + 0 {{turn}}, id {{turn}} LIMIT {MOST}
"""
# A part is only begun when those before it have not filled the page. Two limits: see chassis.pages.Statement.
_PAGE = f"""
    WITH sample AS MATERIALIZED ({{sample}}),
    page AS MATERIALIZED (SELECT * FROM ({{parts}} LIMIT {MOST}) found LIMIT %(limit)s)
    SELECT tier, page.name_length, page.id, {{card}}
    FROM page JOIN products_product USING (id) ORDER BY tier {{turn}}, page.name_length {{turn}}, page.id {{turn}}
"""


@dataclass(frozen=True)
class Ranked:
    """What a search finds, as ``chassis.pages`` reads it. ``where`` is all that narrows it but the words.

    ``prepared``: it is planned once a connection, where nothing but the words narrows it.
    """

    where: str
    values: Mapping[str, Any]
    prepared: bool = False
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
        """The first rows."""
        tiers = [tier for tier in ((1, 0) if self.descending else (0, 1)) if self._reaches(tier)]
        if not tiers:
            return []
        words = {"where": self.where, "turn": "DESC" if self.descending else ""}
        parts = (sql.format(**words, **self._of(tier)) for tier in tiers for sql in (_BY_LENGTH, _AT_ONCE))
        union = " UNION ALL ".join(f"({sql})" for sql in parts)
        sql = _PAGE.format(**words, sample=_SAMPLE.format(**words), parts=union, card=shapes.CARD)
        _, length, id = self.edge or (0, 0, 0)
        values = {**self.values, "many": MANY, "limit": part.stop, "edge_length": length, "edge_id": id}
        with connection.cursor() as cursor:
            prepared.execute(cursor, sql, values) if self.prepared else cursor.execute(sql, values)
            return [dict(zip((*KEYS, "card"), row, strict=True)) for row in cursor.fetchall()]

    def _reaches(self, tier: int) -> bool:
        return self.edge is None or (tier <= self.edge[0] if self.descending else tier >= self.edge[0])

    def _of(self, tier: int) -> dict[str, object]:
        """What differs between the tiers; the first of them begins at the edge."""
        first, last, step = (NAME_LENGTH, 1, -1) if self.descending else (1, NAME_LENGTH, 1)
        kinds = "'n'" if tier == 0 else "'nw'"
        parts = {
            "tier": tier,
            "kinds": kinds,
            "condition": _TIERS[tier],
            "beyond": "",
            "first": first,
            "last": last,
            "step": step,
        }
        if self.edge is None or tier != self.edge[0]:
            return parts
        beyond = f" AND (name_length, id) {'<' if self.descending else '>'} (%(edge_length)s, %(edge_id)s)"
        return parts | {"beyond": beyond, "first": "%(edge_length)s::int"}
