"""The order of what a search finds: first products with all the words in their name (tier 0), then those in whose name
the last one only begins a word (tier 1: "ice cream" finds an ice creamer), then those with some of them in brand,
category or SKU (tier 2); shorter names first, since they say little else.

PostgreSQL's index of words knows no order: what stands in 50,000 products would be read 50,000 times to show 20. So
there is a second index of each word together with the length of the name, and the lengths are gone through one after
the other until the page is full. That is for what stands in many products, which the sample of facets tells; what is
rare is looked up at once and sorted. Both give the same order, so a cursor may go from one to the other, and what the
sample told may be remembered for a while.

Whole words are what the index is quick at: where one of them is missing it looks no further, while of the beginning of
a word it puts together all that it has first.
"""

import time
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
WHOLE = f"to_tsquery('{CONFIG}', %(whole)s)"
KEYS = ["tier", "name_length", "id"]
MANY = 2
"""So many of the sample: some 130 products. To read as many, each in a page of its own, takes as long as to go
through the lengths, in a shop of 1,000,000 products and in one of 5,000; to read more takes longer.
"""
ENOUGH = 100
"""Of the sample. Where it has more, tier 2 is common, and each of the others of which it has any. Reading a thousand
took half of a search.
"""
REMEMBERED_SECONDS = 60
"""How long it is taken as known which tiers of a search are common. To ask the sample is a third of a search."""
# Read once, where a prepared statement would read it for every row.
_ASKED = f"(SELECT {QUERY})"
_WHOLE = f"(SELECT {WHOLE})"
# What a word becomes in the index's terms. ^, which no word holds, is where a length belongs.
_IN_NAME = r"''n^\1''\2"
_ANYWHERE = rf"({_IN_NAME}|''w^\1''\2)"


def _ranked(query: str, term: str) -> str:
    """The query in the terms of the index, written once a search.

    Phrases ("coca-cola") become words that are all there: the index has no positions.
    """
    together = f"regexp_replace({query}::text, '<[-0-9]+>', '&', 'g')"
    return rf"(SELECT regexp_replace({together}, '''([^'']+)''(:\*)?', '{term}', 'g'))"


@dataclass(frozen=True)
class Tier:
    """``condition``: what belongs to it. ``ranked``: how to look for that under a length of the name."""

    condition: str
    ranked: str


TIERS = (
    Tier(f"name_words @@ {_WHOLE}", _ranked(WHOLE, _IN_NAME)),
    Tier(f"name_words @@ {_ASKED} AND NOT name_words @@ {_WHOLE}", _ranked(QUERY, _IN_NAME)),
    Tier(f"words @@ {_ASKED} AND NOT name_words @@ {_ASKED}", _ranked(QUERY, _ANYWHERE)),
)

_SAMPLE = f"""
    SELECT whole >= least AS common_0, named - whole >= least AS common_1,
        found = %(enough)s OR found - named >= %(many)s AS common_2
    FROM (
        SELECT count(*) AS found, count(*) FILTER (WHERE in_name) AS named, count(*) FILTER (WHERE is_whole) AS whole,
            CASE WHEN count(*) = %(enough)s THEN 1 ELSE %(many)s END AS least
        FROM (
            SELECT name_words @@ {_ASKED} AS in_name, name_words @@ {_WHOLE} AS is_whole FROM products_product
            WHERE {{where}} AND words @@ {_ASKED} AND (hashint8(id) & {SAMPLE - 1}) = 0 LIMIT %(enough)s
        ) sampled
    ) counted
"""
# IS TRUE: by no other index, each of which would be read for every length.
_BY_LENGTH = f"""
    SELECT {{tier}} AS tier, length AS name_length, found.id
    FROM generate_series({{first}}, {{last}}, {{step}}) AS length CROSS JOIN LATERAL (
        SELECT id FROM products_product
        WHERE products_ranked(name_words, words, name_length)
                @@ replace({{ranked}}, '^', lpad(length::text, 3, '0'))::tsquery
            AND ({{where}} AND {{condition}}{{beyond}}) IS TRUE
        ORDER BY id {{turn}} LIMIT {MOST}
    ) found WHERE {{chosen}} LIMIT {MOST}
"""
# The sum is no column of an index: PostgreSQL finds the rows first and sorts them then.
_AT_ONCE = f"""
    SELECT {{tier}} AS tier, name_length, id FROM products_product
    WHERE {{where}} AND {{condition}}{{beyond}} AND {{chosen}}
    ORDER BY name_length + 0 {{turn}}, id {{turn}} LIMIT {MOST}
"""
# A part is only begun when those before it have not filled the page. Two limits: see chassis.pages.Statement.
_PAGE = f"""
    WITH sample AS MATERIALIZED ({{sample}}),
    page AS MATERIALIZED (SELECT * FROM ({{parts}} LIMIT {MOST}) found LIMIT %(limit)s)
    SELECT tier, page.name_length, page.id, {{card}}, common_0, common_1, common_2
    FROM page JOIN products_product USING (id) CROSS JOIN sample
    ORDER BY tier {{turn}}, page.name_length {{turn}}, page.id {{turn}}
"""

_TOLD = "SELECT {} AS common_0, {} AS common_1, {} AS common_2"

Common = tuple[bool, bool, bool]
"""Which tiers are common."""
_remembered: dict[str, tuple[Common, float]] = {}
_MOST_REMEMBERED = 1_000


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
        known = self._known()
        if not (sql := self._sql(known)):
            return []
        _, length, id = self.edge or (0, 0, 0)
        asked = {"many": MANY, "enough": ENOUGH, "limit": part.stop, "edge_length": length, "edge_id": id}
        values = {**self.values, **asked}
        with connection.cursor() as cursor:
            prepared.execute(cursor, sql, values) if self.prepared else cursor.execute(sql, values)
            rows = cursor.fetchall()
        if rows and known is None:
            self._remember(rows[0][-len(TIERS) :])
        return [dict(zip((*KEYS, "card"), row, strict=False)) for row in rows]

    def _known(self) -> Common | None:
        """Which tiers are common, where that was asked lately. First pages only: each choice is a plan of its own."""
        common, until = _remembered.get(self._name, (None, 0.0))
        return common if self.edge is None and time.monotonic() < until else None

    def _remember(self, common: Common) -> None:
        if len(_remembered) >= _MOST_REMEMBERED:
            _remembered.clear()
        _remembered[self._name] = common, time.monotonic() + REMEMBERED_SECONDS

    @property
    def _name(self) -> str:
        return f"{self.where} {self.values}"

    def _sql(self, known: Common | None) -> str:
        """The statement; empty where there is nothing beyond the edge."""
        words = {"where": self.where, "turn": "DESC" if self.descending else ""}
        order = range(len(TIERS))[:: -1 if self.descending else 1]
        ways = [(tier, *way) for tier in order if self._reaches(tier) for way in _ways(tier, known)]
        parts = [f"({sql.format(**words, **self._of(tier), chosen=chosen)})" for tier, sql, chosen in ways]
        sample = _SAMPLE.format(**words) if known is None else _TOLD.format(*known)
        return _PAGE.format(**words, sample=sample, parts=" UNION ALL ".join(parts), card=shapes.CARD) if parts else ""

    def _reaches(self, tier: int) -> bool:
        return self.edge is None or (tier <= self.edge[0] if self.descending else tier >= self.edge[0])

    def _of(self, tier: int) -> dict[str, object]:
        """What differs between the tiers; the first of them begins at the edge."""
        first, last, step = (NAME_LENGTH, 1, -1) if self.descending else (1, NAME_LENGTH, 1)
        parts = {
            **vars(TIERS[tier]),
            "tier": tier,
            "beyond": "",
            "first": first,
            "last": last,
            "step": step,
        }
        if self.edge is None or tier != self.edge[0]:
            return parts
        beyond = f" AND (name_length, id) {'<' if self.descending else '>'} (%(edge_length)s, %(edge_id)s)"
        return parts | {"beyond": beyond, "first": "%(edge_length)s::int"}


def _ways(tier: int, known: Common | None) -> list[tuple[str, str]]:
    """How to look for a tier, each with when: as is known, else as the sample says."""
    if known:
        return [(_BY_LENGTH if known[tier] else _AT_ONCE, "true")]
    said = "(SELECT {} common_{} FROM sample)"
    return [(_BY_LENGTH, said.format("", tier)), (_AT_ONCE, said.format("NOT", tier))]
