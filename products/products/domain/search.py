"""Finding products: filters, full text, misspelled words.

Relevance is an order that an index can serve at any size of the catalogue: first products with the words in their
name, then those with the words in brand, category or SKU; shorter names first, since they say little else.
"""

from dataclasses import dataclass, replace
from typing import Any, Self

from chassis.pages import Statement
from django.contrib.postgres.search import SearchQuery
from django.db import connection
from django.db.models import F, Q, QuerySet, Value

from products import metrics
from products.domain import shapes
from products.models import Product, Variant

CONFIG = "goods"
MAX_WORDS = 12
ORDERINGS = {
    "name": ["sort_name", "id"],
    "price": ["min_price", "id"],
    "-price": ["-min_price", "-id"],
    "created": ["created", "id"],
    "-created": ["-created", "-id"],
}
RELEVANCE = ["tier", "name_length", "id"]
NEAR = 2000

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

    @property
    def tsquery(self) -> str:
        """The words in the syntax of ``to_tsquery``; each is quoted, so no character in it means anything."""
        choices = self.instead or tuple((word,) for word in self.words)
        endings = [""] * (len(choices) - 1) + [":*"]
        terms = (
            " | ".join(f"'{word}'{ending}" for word in words) for words, ending in zip(choices, endings, strict=True)
        )
        return " & ".join(f"({term})" for term in terms)


def words_of(typed: str) -> tuple[str, ...]:
    """The words of what somebody typed, whatever characters it holds."""
    return tuple(typed.translate({ord("'"): " ", ord("\\"): " "}).split()[:MAX_WORDS])


class Ranked:
    """Querysets one after the other, their column ``tier`` being 0, 1, …: to ``chassis.pages`` one queryset.

    A common word is found by looking through the next ``NEAR`` products of the order, a rare one by its index. Which
    of them is cheaper PostgreSQL would have to guess, and a wrong guess is a walk through the whole catalogue. So it
    does first the one, then the other for what is left, and stops when the page is full.
    """

    def __init__(
        self, *tiers: "QuerySet[Any, Any]", conditions: tuple[Q, ...] = (), order: tuple[str, ...] = ()
    ) -> None:
        self._tiers, self._conditions, self._order = tiers, conditions, order

    def order_by(self, *names: str) -> Self:
        """Orders by tier, then within each; a leading ``-`` turns all of it around."""
        tiers = self._tiers[::-1] if names[0].startswith("-") else self._tiers
        return type(self)(*tiers, conditions=self._conditions, order=names[1:])

    def filter(self, condition: Q) -> Self:
        """Filters each tier."""
        return type(self)(*self._tiers, conditions=(*self._conditions, condition), order=self._order)

    def __getitem__(self, part: slice) -> "QuerySet[Any, Any]":
        """The first rows: a part of the union is only begun when those before it have not filled the page."""
        first, *others = (rows[part] for tier in self._tiers for rows in self._near_and_far(tier))
        return first.union(*others, all=True)[part]

    def _near_and_far(self, tier: "QuerySet[Any, Any]") -> "tuple[QuerySet[Any, Any], QuerySet[Any, Any]]":
        active = Product.objects.filter(status=Product.Status.ACTIVE).annotate(tier=tier.query.annotations["tier"])
        near = active.filter(*self._conditions).order_by(*self._order).values("pk")[:NEAR]
        # The sum is no column of an index: PostgreSQL finds the rows first and sorts them then.
        length = F("name_length") + 0
        unindexed: list[Any] = [length.desc() if self._order[0].startswith("-") else length, *self._order[1:]]
        return (
            tier.filter(pk__in=near).order_by(*self._order),
            tier.filter(*self._conditions).exclude(pk__in=near).order_by(*unindexed),
        )


def matching(filters: Filters, *, within: str = "words") -> "QuerySet[Product]":
    """The public products that fit; ``within`` says where the words have to be: ``words`` or ``name_words``."""
    rows = Product.objects.filter(status=Product.Status.ACTIVE)
    if filters.words:
        rows = rows.filter(**{within: _query(filters)})
    if filters.category is not None:
        rows = rows.filter(lineage__contains=[filters.category])
    if filters.brand is not None:
        rows = rows.filter(brand=filters.brand)
    if filters.min_price is not None:
        rows = rows.filter(min_price__gte=filters.min_price)
    if filters.max_price is not None:
        rows = rows.filter(min_price__lte=filters.max_price)
    if filters.skus:
        rows = rows.filter(pk__in=Variant.objects.filter(sku__in=filters.skus).values("product_id"))
    return rows


def listed(filters: Filters) -> Statement:
    """``matching`` without words, as ``card``: what most people look at, so that it has to be cheap."""
    conditions = [condition for name, condition in _CONDITIONS.items() if getattr(filters, name) not in (None, ())]
    sql = " AND ".join([shapes.CARDS, *conditions])
    return Statement(sql, vars(filters) | {"skus": list(filters.skus), "address": shapes.media_address()})


def cards(*, filters: Filters, ordering: str) -> tuple[Any, list[str]]:
    """The products that fit as ``card`` (JSON text), and the sort keys of ``chassis.pages``."""
    if ordering != "relevance" or not filters.words:
        keys = ORDERINGS.get(ordering, ORDERINGS["name"])
        if not filters.words:
            return listed(filters), keys
        rows = matching(filters).annotate(card=shapes.card())
        return rows.values(*(key.lstrip("-") for key in keys), "card"), keys
    in_name = matching(filters, within="name_words")
    elsewhere = matching(filters).exclude(name_words=_query(filters))
    tiers = (tier.annotate(tier=Value(number), card=shapes.card()) for number, tier in enumerate((in_name, elsewhere)))
    return Ranked(*(tier.values(*RELEVANCE, "card") for tier in tiers)), RELEVANCE


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


def _query(filters: Filters) -> SearchQuery:
    return SearchQuery(filters.tsquery, config=CONFIG, search_type="raw")
