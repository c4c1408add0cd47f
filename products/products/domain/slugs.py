"""Slugs: made from names, unique for ever by a suffix: bananas, bananas-2, bananas-3.

A slug that was given once is never given again, so an address always means the same product. Each is a row, claimed by
one statement: two who want the same name at the same moment get different slugs.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from chassis.fields import RESERVED_WORDS
from django.db import connection
from django.utils.text import slugify

_ASK = """
    INSERT INTO products_givenslug (slug, asked)
    SELECT slug, asked FROM unnest(%s::text[], %s::int[]) AS w(slug, asked) ORDER BY slug COLLATE "C"
    ON CONFLICT (slug) DO UPDATE SET asked = products_givenslug.asked + excluded.asked RETURNING slug, asked
"""
_CLAIM = """
    INSERT INTO products_givenslug (slug, asked) SELECT slug, 1 FROM unnest(%s::text[]) AS w(slug)
    ORDER BY slug COLLATE "C" ON CONFLICT DO NOTHING RETURNING slug
"""


def base(name: str, fallback: str = "product") -> str:
    """The slug of a name before any suffix: ASCII letters, digits and dashes; never a word with a meaning in paths."""
    slug = slugify(name).replace("_", "-").strip("-")
    slug = "-".join(part for part in slug.split("-") if part) or fallback
    return f"{slug}-{fallback}" if slug in RESERVED_WORDS else slug


def take(bases: Sequence[str]) -> list[str]:
    """A slug for each base, in the same order, all of them ours alone once the transaction is committed."""
    found: list[str] = [""] * len(bases)
    open_places = range(len(bases))
    while open_places:
        wanted = [bases[place] for place in open_places]
        candidates = _ask(wanted)
        # A base that nobody asked for before is a slug of its own; a suffixed one has to be claimed, since
        # another product's name may be "Bananas 2".
        suffixed = [slug for slug, plain in zip(candidates, wanted, strict=True) if slug != plain]
        free = _claim(suffixed) | set(wanted)
        for place, slug in zip(open_places, candidates, strict=True):
            if slug in free:
                found[place] = slug
        open_places = [place for place in open_places if not found[place]]  # type: ignore[assignment]
    return found


def _ask(wanted: Sequence[str]) -> list[str]:
    counts = Counter(wanted)
    with connection.cursor() as cursor:
        cursor.execute(_ASK, [list(counts), list(counts.values())])
        last = dict(cursor.fetchall())
    upcoming = {slug: last[slug] - count + 1 for slug, count in counts.items()}
    slugs = []
    for slug in wanted:
        number = upcoming[slug]
        upcoming[slug] += 1
        slugs.append(slug if number == 1 else f"{slug}-{number}")
    return slugs


def _claim(slugs: Iterable[str]) -> set[str]:
    if not (wanted := list(slugs)):
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [wanted])
        return {row[0] for row in cursor.fetchall()}
