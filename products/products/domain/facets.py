"""How many products there are of each brand, category and price band, within the same filters as the list."""

from django.db import connection

from products.domain.search import Filters, matching

BANDS = [n * 10**power for power in (2, 3, 4, 5) for n in (1, 2, 5)]
"""Where price bands begin, in minor units: 1.00, 2.00, 5.00, 10.00 … USD."""
MOST_BRANDS = 50
NOTHING = '{"count" : 0,'
"""How the answer begins where nothing fits."""

_FACETS = """
    WITH hits AS MATERIALIZED ({hits}),
    bands AS (SELECT width_bucket(min_price, %s::int[]) AS band, count(*) FROM hits GROUP BY 1),
    brands AS (SELECT brand, count(*) FROM hits WHERE brand <> '' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %s),
    categories AS (SELECT slug, count(*) FROM hits, unnest(lineage) AS slug GROUP BY 1)
    SELECT json_build_object(
        'count', (SELECT count(*) FROM hits),
        'brands', (SELECT coalesce(json_agg(json_build_object('brand', brand, 'count', count)
                                            ORDER BY count DESC, brand), '[]') FROM brands),
        'categories', (SELECT coalesce(json_agg(json_build_object('slug', c.slug, 'name', c.name, 'count', f.count)
                                                ORDER BY f.count DESC, c.slug), '[]')
                       FROM categories f JOIN products_category c ON c.slug = f.slug),
        'prices', (SELECT coalesce(json_agg(json_build_object(
                       'min', coalesce((%s::int[])[band], 0), 'max', (%s::int[])[band + 1] - 1, 'count', count)
                                            ORDER BY band), '[]') FROM bands)
    )::text
"""


def facets(*, filters: Filters) -> str:
    """The counts as JSON text. Categories count what is below them too; a band's ``max`` is null where it is open."""
    hits = matching(filters).order_by().values("brand", "lineage", "min_price")
    sql, parameters = hits.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_FACETS.format(hits=sql), [*parameters, BANDS, MOST_BRANDS, BANDS, BANDS])
        return str(cursor.fetchone()[0])
