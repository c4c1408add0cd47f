"""Finding products: what narrows a list, its orders, and misspelled words."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from chassis.pages import Ordered, Statement
from django.db import connection

from products import metrics
from products.domain import relevance, shapes

MAX_WORDS = 12
ORDERINGS = {
    "name": ["sort_name", "id"],
    "price": ["min_price", "id"],
    "-price": ["-min_price", "-id"],
    "created": ["created", "id"],
    "-created": ["-created", "-id"],
}
_TYPES = {"sort_name": "text", "min_price": "integer", "created": "timestamptz", "id": "bigint"}

# A word that nothing in the catalogue begins with, and the words most like it. https://www.postgresql.org/docs/18/pgtrgm.html
_SIMILAR = """
    SELECT t.n, s.word FROM unnest(%s::text[]) WITH ORDINALITY AS t(typed, n)
    CROSS JOIN LATERAL (SELECT unaccent(lower(t.typed)) COLLATE "C" AS word) f
    CROSS JOIN LATERAL (
        SELECT word, similarity(word, f.word) AS alike, max(similarity(word, f.word)) OVER () AS best
        FROM products_word WHERE word %% f.word ORDER BY alike DESC, word LIMIT 8
    ) s
    WHERE s.alike > s.best - 0.25
    AND NOT EXISTS (SELECT FROM products_word WHERE word >= f.word AND word < f.word || chr(1114111))
    ORDER BY t.n, s.alike DESC, s.word
"""
_CONDITIONS = {
    "words": f"words @@ {relevance.QUERY}",
    "category": "lineage @> ARRAY[%(category)s]",
    "brand": "brand = %(brand)s",
    "min_price": "min_price >= %(min_price)s",
    "max_price": "min_price <= %(max_price)s",
    "skus": "id IN (SELECT product_id FROM products_variant WHERE sku = ANY(%(skus)s))",
}


@dataclass(frozen=True)
class Filters:
    """What narrows a list. Prices in minor units, inclusive; the cheapest variant counts."""

    words: tuple[str, ...] = ()
    """What somebody typed. All of them have to be there; the last one may be the beginning of a word."""
    category: str | None = None
    brand: str | None = None
    min_price: int | None = None
    max_price: int | None = None
    skus: tuple[str, ...] = ()
    instead: tuple[tuple[str, ...], ...] = ()
    """For each word those to look for in its place, where it is misspelled."""

    def tsquery(self, *, whole: bool = False) -> str:
        """The words in the syntax of ``to_tsquery``; each is quoted, so no character in it means anything.

        ``whole``: the last one is not the beginning of a word, either.
        """
        choices = self.instead or tuple((word,) for word in self.words)
        endings = [""] * (len(choices) - 1) + ["" if whole else ":*"]
        terms = (
            " | ".join(f"'{word}'{ending}" for word in words) for words, ending in zip(choices, endings, strict=True)
        )
        return " & ".join(f"({term})" for term in terms)

    @property
    def values(self) -> Mapping[str, Any]:
        """What ``where`` has placeholders for."""
        words = {"tsquery": self.tsquery(), "whole": self.tsquery(whole=True)} if self.words else {"tsquery": ""}
        return vars(self) | words | {"skus": list(self.skus)}

    def where(self, *, words: bool = True) -> str:
        """The condition on products as SQL: public, and all that is asked for (``words`` aside, where it is False)."""
        asked = (name for name in _CONDITIONS if getattr(self, name) not in (None, ()) and (words or name != "words"))
        return _where(tuple(asked))


@cache
def _where(asked: tuple[str, ...]) -> str:
    return " AND ".join(["status = 'active'", *(_CONDITIONS[name] for name in asked)])


def words_of(typed: str) -> tuple[str, ...]:
    """The words of what somebody typed, whatever characters it holds."""
    return tuple(typed.translate({ord("'"): " ", ord("\\"): " "}).split()[:MAX_WORDS])


def cards(*, filters: Filters, ordering: str) -> tuple[Ordered, list[str]]:
    """The products that fit as ``card`` (JSON text), and the sort keys of ``chassis.pages``."""
    values = {**filters.values, "address": shapes.media_address()}
    where = filters.where(words=False)
    # Always the same plan; what narrows it may be better served by an index of its own, or not.
    prepared = where == _where(())
    if filters.words and ordering == "relevance":
        return relevance.Ranked(where, values, prepared), relevance.KEYS
    keys = ORDERINGS.get(ordering, ORDERINGS["name"])
    sql = f"SELECT {keys[0].lstrip('-')}, id, {shapes.CARD} AS card FROM products_product WHERE {filters.where()}"
    return Statement(sql, values, _TYPES, prepared and not filters.words), keys


def corrected(filters: Filters) -> Filters | None:
    """The same with misspelled words replaced by those most like them; None where there is nothing to replace.

    For when nothing was found: "bananna" finds bananas.
    """
    candidates = [word if len(word) >= 3 and word.isalpha() else "" for word in filters.words]
    if not any(candidates):
        return None
    with connection.cursor() as cursor:
        cursor.execute(_SIMILAR, [candidates])
        similar: dict[int, list[str]] = {}
        for number, word in cursor.fetchall():
            similar.setdefault(number, []).append(word)
    metrics.SEARCHES.labels("corrected" if similar else "nothing").inc()
    if not similar:
        return None
    return replace(
        filters, instead=tuple(tuple(similar.get(n, [word])) for n, word in enumerate(filters.words, start=1))
    )
