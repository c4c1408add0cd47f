"""How many products there are of each brand, category and price band, within the same filters as the list.

Nobody needs to know whether it is 212,304 or 212,000: where there are many, a random sample is counted and scaled. It
has an index of its own, one product in ``SAMPLE``, in the order of a number drawn for each; the first ``ENOUGH`` that
fit are taken. So a large catalogue takes no longer than a small one, and what is few is counted one by one.
"""

from typing import Any

from django.db import connection

from products.domain.search import Filters
from products.models import SAMPLE

BANDS = [n * 10**power for power in (2, 3, 4, 5) for n in (1, 2, 5)]
"""Where price bands begin, in minor units: 1.00, 2.00, 5.00, 10.00 … USD."""
MOST = 5_000
"""As many products and fewer are counted one by one."""
ENOUGH = 3_000
MANY = round(MOST / SAMPLE + 4.5 * (MOST / SAMPLE) ** 0.5)
"""So many in the sample are of more than ``MOST``: of fewer they are 4.5 standard deviations away."""
MOST_BRANDS = 50

_LOT = "hashint8(id)"
# The two parts of `hits` exclude each other, so that one of them is never begun.
_FACETS = f"""
    WITH sample AS MATERIALIZED (
        SELECT brand, lineage, min_price, {_LOT} AS lot FROM products_product
        WHERE {{where}} AND ({_LOT} & {SAMPLE - 1}) = 0 ORDER BY {_LOT} LIMIT %(enough)s
    ),
    size AS MATERIALIZED (
        SELECT count(*) >= %(many)s AS many,
            CASE WHEN count(*) < %(many)s THEN 1 WHEN count(*) < %(enough)s THEN {SAMPLE}
            ELSE {SAMPLE} * 2.0 ^ 32 / (2.0 ^ 31 + max(lot)) END AS each
        FROM sample
    ),
    groups AS MATERIALIZED (
        SELECT brand, lineage, width_bucket(min_price, %(bands)s::int[]) AS band, count(*)::int AS count FROM (
            SELECT brand, lineage, min_price FROM sample WHERE (SELECT many FROM size)
            UNION ALL
            SELECT brand, lineage, min_price FROM products_product WHERE {{where}} AND NOT (SELECT many FROM size)
        ) hits GROUP BY 1, 2, 3
    ),
    bands AS (SELECT band, sum(count) AS count FROM groups GROUP BY 1),
    brands AS (
        SELECT brand, sum(count) AS count FROM groups WHERE brand <> '' GROUP BY 1 ORDER BY 2 DESC, 1
        LIMIT {MOST_BRANDS}
    ),
    categories AS (SELECT slug, sum(count) AS count FROM groups, unnest(lineage) AS slug GROUP BY 1)
    SELECT json_build_object(
        'count', (SELECT coalesce(round(sum(count) * (SELECT each FROM size)), 0) FROM groups),
        'exact', (SELECT NOT many FROM size),
        'brands', (SELECT coalesce(json_agg(json_build_object('brand', brand, 'count', round(count * each))
                       ORDER BY count DESC, brand), '[]') FROM brands, size),
        'categories', (SELECT coalesce(json_agg(json_build_object('slug', c.slug, 'name', c.name,
                       'count', round(f.count * each)) ORDER BY f.count DESC, c.slug), '[]')
                       FROM size, categories f JOIN products_category c ON c.slug = f.slug),
        'prices', (SELECT coalesce(json_agg(json_build_object('min', coalesce((%(bands)s::int[])[band], 0),
                       'max', (%(bands)s::int[])[band + 1] - 1, 'count', round(count * each)) ORDER BY band), '[]')
                   FROM bands, size)
    )
"""


def facets(*, filters: Filters) -> dict[str, Any]:
    """The counts, the largest first. Categories count what is below them too; an open band's ``max`` is None.

    ``exact`` is False where the counts are estimated, which they are of more than ``MOST`` products only.
    """
    values = {**filters.values, "bands": BANDS, "many": MANY, "enough": ENOUGH}
    with connection.cursor() as cursor:
        cursor.execute(_FACETS.format(where=filters.where()), values)
        found: dict[str, Any] = cursor.fetchone()[0]
    return found
