"""More goods: the real ones again under other names, with their categories, brands and prices, and stock of each."""

from local.shop import Shop

from loadtest.scale.copying import Progress, batches, copy, loading

EACH = 1_000
"""Units on hand of each."""
_STAGING = "CREATE TEMPORARY TABLE more (n bigint, name text)"
# Every fifth real product lends its name, brand and price to every 5,000th new one. The derived columns are written as
# products/domain/derived.py writes them.
_PRODUCTS = """
    INSERT INTO products_product
        (slug, name, brand, category_id, description, attributes, images, min_price, lineage, words, card)
    SELECT 'more-' || m.n, left(b.name, 120) || ' ' || m.name, b.brand, b.category_id, '', '{}', '{}',
        b.min_price, b.lineage,
        products_words(left(b.name, 120) || ' ' || m.name, b.brand, c.path, ARRAY['more-' || m.n]),
        json_build_object(
            'slug', 'more-' || m.n, 'name', left(b.name, 120) || ' ' || m.name, 'brand', b.brand,
            'category', CASE WHEN c.id IS NOT NULL
                THEN json_build_object('slug', c.slug, 'name', c.name, 'path', c.path) END,
            'variants', json_build_array(json_build_object(
                'sku', 'more-' || m.n, 'options', '{}'::json,
                'price', json_build_object('amount', b.min_price, 'currency', 'USD')
            )))::text
    FROM more m
    JOIN (SELECT *, row_number() OVER (ORDER BY id) - 1 AS place FROM products_product WHERE id <= %(last)s) b
        ON b.place = m.n %% %(real)s
    LEFT JOIN products_category c ON c.id = b.category_id ORDER BY m.n
"""
_VARIANTS = """
    INSERT INTO products_variant (product_id, sku, options, price, currency)
    SELECT id, slug, '{}', min_price, 'USD' FROM products_product WHERE slug = ANY(%s)
"""


def sku(number: int) -> str:
    """The SKU of the n-th new product, and its slug."""
    return f"more-{number}"


def grow(shop: Shop, start: int, stop: int, sold_each: int, progress: Progress) -> None:
    """The new products ``start`` to ``stop``, each with what it will have sold and ``EACH`` units more."""
    with loading(shop, "products") as cursor:
        cursor.execute("SELECT count(*), max(id) FROM products_product WHERE slug NOT LIKE 'more-%'")
        real, last = cursor.fetchone()
        cursor.execute(_STAGING)
        for numbers in batches(start, stop):
            copy(cursor, "more", "n, name", ((number, f"No {number}") for number in numbers))
            cursor.execute(_PRODUCTS, {"real": real, "last": last})
            cursor.execute(_VARIANTS, [[sku(number) for number in numbers]])
            cursor.execute("TRUNCATE more")
            progress(2 * len(numbers))
        cursor.execute("VACUUM ANALYZE")
    with loading(shop, "stock") as cursor:
        for numbers in batches(start, stop):
            done = copy(cursor, "stock_level", "sku, on_hand, reserved", ((sku(n), EACH, 0) for n in numbers))
            receipts = ((sku(n), "receipt", EACH + sold_each, "", "scale", "scale") for n in numbers)
            done += copy(cursor, "stock_movement", "sku, kind, quantity, reason, actor, reference", receipts)
            progress(done)
