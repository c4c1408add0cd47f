"""How many products there are of each brand, category and price band, within the same filters as the list.

Exact up to ``MOST`` products. Where there are more, nobody needs to know whether it is 212,304 or 212,000: then a
sample of the table's pages is counted and scaled, so that it takes no longer. https://www.postgresql.org/docs/18/sql-select.html
"""

from typing import Any

from django.db import connection

from products.domain.search import Filters

BANDS = [n * 10**power for power in (2, 3, 4, 5) for n in (1, 2, 5)]
"""Where price bands begin, in minor units: 1.00, 2.00, 5.00, 10.00 … USD."""
MOST = 20_000
"""How many products are counted one by one."""
MOST_BRANDS = 50

_FACETS = """
    WITH hits AS MATERIALIZED (
        SELECT brand, lineage, min_price FROM products_product {sample} WHERE {where} LIMIT {most}
    ),
    bands AS (SELECT width_bucket(min_price, %(bands)s::int[]) AS band, count(*) FROM hits GROUP BY 1),
    brands AS (SELECT brand, count(*) FROM hits WHERE brand <> '' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {brands}),
    categories AS (SELECT slug, count(*) FROM hits, unnest(lineage) AS slug GROUP BY 1)
    SELECT (SELECT count(*) FROM hits),
        (SELECT json_agg(json_build_object('brand', brand, 'count', count) ORDER BY count DESC, brand) FROM brands),
        (SELECT json_agg(json_build_object('slug', c.slug, 'name', c.name, 'count', f.count)
                         ORDER BY f.count DESC, c.slug)
         FROM categories f JOIN products_category c ON c.slug = f.slug),
        (SELECT json_agg(json_build_object('min', coalesce((%(bands)s::int[])[band], 0),
                                           'max', (%(bands)s::int[])[band + 1] - 1, 'count', count) ORDER BY band)
         FROM bands)
"""
_SIZE = "SELECT greatest(reltuples, 1) FROM pg_class WHERE oid = 'products_product'::regclass"


def facets(*, filters: Filters) -> dict[str, Any]:
    """The counts, the largest first. Categories count what is below them too; an open band's ``max`` is None.

    ``exact`` is False where the counts are estimated from a sample.
    """
    found = _count(filters, most=MOST + 1)
    if found["count"] <= MOST:
        return found | {"exact": True}
    with connection.cursor() as cursor:
        cursor.execute(_SIZE)
        share = min(1.0, MOST / float(cursor.fetchone()[0]))
    sample = _count(filters, most=10 * MOST, sample=f"TABLESAMPLE SYSTEM ({share * 100:.6f}) REPEATABLE (1) ")
    lists = {
        name: [entry | {"count": round(entry["count"] / share)} for entry in sample[name]]
        for name in ("brands", "categories", "prices")
    }
    return {"count": max(MOST, round(sample["count"] / share)), **lists, "exact": False}


def _count(filters: Filters, *, most: int, sample: str = "") -> dict[str, Any]:
    sql = _FACETS.format(where=filters.where(), sample=sample, most=most, brands=MOST_BRANDS)
    with connection.cursor() as cursor:
        cursor.execute(sql, {**filters.values, "bands": BANDS})
        count, brands, categories, prices = cursor.fetchone()
    return {"count": count, "brands": brands or [], "categories": categories or [], "prices": prices or []}
