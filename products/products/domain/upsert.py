"""A batch of feed rows into products and variants: a fixed number of statements, however many rows.

Who decides what, when a row's SKU is known already:
- the feed: the variant's price, and its options where the feed has any;
- whoever spoke last, feed or staff: name, brand, category, description, attributes, picture. The product remembers what
  the feed said (``feed``); only what the feed says differently now is taken over, so an edit by staff outlives all
  imports in which its column stays as it was;
- staff: status, the slug, further pictures, and everything of products that no feed made.
A product's columns come from the row that made it, the first of its ``item_group_id``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from django.db import connection, transaction

from products.domain import categories, derived, shapes, slugs
from products.domain.feed import Row

_INCOMING = """
    CREATE TEMPORARY TABLE IF NOT EXISTS incoming (
        n int PRIMARY KEY, sku text COLLATE "C", name text, brand text, category_id bigint, description text,
        attributes jsonb, images text[], options jsonb, price int, currency text, "group" text, base text, feed jsonb,
        product_id bigint, is_lead boolean, slug text
    ) ON COMMIT DELETE ROWS
"""
_FILL = """
    INSERT INTO incoming SELECT * FROM jsonb_to_recordset(%s::jsonb) AS r(
        n int, sku text, name text, brand text, category_id bigint, description text, attributes jsonb, images text[],
        options jsonb, price int, currency text, "group" text, base text, feed jsonb
    )
"""
_KNOWN_SKUS = "UPDATE incoming i SET product_id = v.product_id FROM products_variant v WHERE v.sku = i.sku"
_KNOWN_GROUPS = """
    UPDATE incoming i SET product_id = p.id FROM products_product p WHERE p."group" = i."group" AND i.product_id IS NULL
"""
# Products first, in the order of their ids, then variants: the locking rule of the service.
_LOCK = """
    SELECT id FROM products_product WHERE id IN (SELECT product_id FROM incoming) ORDER BY id FOR NO KEY UPDATE
"""
_LEADS = """
    UPDATE incoming SET is_lead = true WHERE n IN (
        SELECT min(n) FROM incoming WHERE product_id IS NULL GROUP BY coalesce('g' || "group", 's' || sku)
    ) RETURNING n, base
"""
_SLUGS = "UPDATE incoming i SET slug = s.slug FROM unnest(%s::int[], %s::text[]) AS s(n, slug) WHERE i.n = s.n"
_NEW_PRODUCTS = f"""
    INSERT INTO products_product (
        slug, name, brand, category_id, description, attributes, images, "group", feed, min_price, lineage, words, card
    )
    SELECT i.slug, i.name, i.brand, i.category_id, i.description, i.attributes, i.images, i."group", i.feed,
        v.min_price, coalesce(c.lineage, '{{}}'), products_words(i.name, i.brand, c.path, v.skus),
        {shapes.stored_card("i", shapes.CATEGORY, "v.variants")}
    FROM incoming i
    LEFT JOIN products_category c ON c.id = i.category_id
    JOIN (
        SELECT coalesce('g' || "group", 's' || sku) AS key, min(price) AS min_price, array_agg(sku ORDER BY n) AS skus,
            json_agg({shapes.VARIANT} ORDER BY n) AS variants
        FROM incoming v WHERE product_id IS NULL GROUP BY 1
    ) v ON v.key = coalesce('g' || i."group", 's' || i.sku)
    WHERE i.is_lead ORDER BY i.n
    RETURNING id
"""
_OF_NEW_PRODUCTS = """
    UPDATE incoming i SET product_id = p.id
    FROM incoming lead JOIN products_product p ON p.slug = lead.slug
    WHERE lead.is_lead AND i.product_id IS NULL
        AND coalesce('g' || i."group", 's' || i.sku) = coalesce('g' || lead."group", 's' || lead.sku)
"""
_VARIANTS = """
    INSERT INTO products_variant AS v (product_id, sku, options, price, currency)
    SELECT product_id, sku, options, price, currency FROM incoming ORDER BY n
    ON CONFLICT (sku) DO UPDATE SET price = excluded.price, currency = excluded.currency,
        options = CASE WHEN excluded.options = '{}' THEN v.options ELSE excluded.options END
    WHERE (v.price, v.currency) IS DISTINCT FROM (excluded.price, excluded.currency)
        OR excluded.options NOT IN ('{}', v.options)
    RETURNING product_id, xmax = 0
"""
_CHANGED_PRODUCTS = """
    UPDATE products_product p SET
        name = CASE WHEN p.feed->'name' = i.feed->'name' THEN p.name ELSE i.name END,
        brand = CASE WHEN p.feed->'brand' = i.feed->'brand' THEN p.brand ELSE i.brand END,
        category_id = CASE WHEN p.feed->'category' = i.feed->'category' THEN p.category_id ELSE i.category_id END,
        description = CASE WHEN p.feed->'description' = i.feed->'description' THEN p.description ELSE i.description END,
        attributes = CASE WHEN p.feed->'attributes' = i.feed->'attributes' THEN p.attributes ELSE i.attributes END,
        images = CASE WHEN p.feed->'image' = i.feed->'image' THEN p.images
            ELSE i.images || array_remove(array_remove(p.images, p.feed->>'image'), i.images[1]) END,
        feed = i.feed
    FROM incoming i WHERE p.id = i.product_id AND p.feed->>'id' = i.sku AND p.feed <> i.feed
    RETURNING p.id
"""
_TOUCH = "UPDATE products_product SET updated = now() WHERE id = ANY(%s)"


class Collision(Exception):
    """Staff created one of the batch's SKUs at the same moment: the batch has to be done anew."""


@dataclass
class Counts:
    """Products made, variants made, variants or products changed."""

    products: int = 0
    variants: int = 0
    changed: int = 0


def upsert(rows: Sequence[Row], known_categories: dict[tuple[str, ...], int]) -> Counts:
    """Brings a batch in, all of it or nothing; the same batch again changes nothing. SKUs must be unique in it.

    ``known_categories`` (ids by path) is a cache that is filled on the way.
    """
    if missing := {row.category for row in rows if row.category} - known_categories.keys():
        known_categories |= categories.ensure(sorted(missing))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_INCOMING)
        cursor.execute(
            _FILL, [orjson.dumps([_incoming(n, row, known_categories) for n, row in enumerate(rows)]).decode()]
        )
        for statement in (_KNOWN_SKUS, _KNOWN_GROUPS, _LOCK):
            cursor.execute(statement)
        made = _new_products(cursor)
        cursor.execute(_VARIANTS)
        touched = cursor.fetchall()
        cursor.execute(_CHANGED_PRODUCTS)
        edited = {row[0] for row in cursor.fetchall()}
        changed = {product for product, new in touched if product not in made} | edited
        cursor.execute(_TOUCH, [sorted(changed)])
        derived.refresh(changed)
        derived.refresh_words(list(made))
        cursor.execute("SELECT count(*) FROM incoming i JOIN products_variant v USING (sku, product_id)")
        if cursor.fetchone()[0] != len(rows):
            raise Collision
        # Also emptied by the commit, which a test's outer transaction puts off.
        cursor.execute("TRUNCATE incoming")
    new = sum(is_new for _, is_new in touched)
    return Counts(products=len(made), variants=new, changed=len(touched) - new + len(edited))


def _new_products(cursor: object) -> set[int]:
    execute, fetchall = cursor.execute, cursor.fetchall  # type: ignore[attr-defined]
    execute(_LEADS)
    leads = sorted(fetchall())
    if not leads:
        return set()
    execute(_SLUGS, [[n for n, _ in leads], slugs.take([base for _, base in leads])])
    execute(_NEW_PRODUCTS)
    made = {row[0] for row in fetchall()}
    execute(_OF_NEW_PRODUCTS)
    return made


def _incoming(n: int, row: Row, known: dict[tuple[str, ...], int]) -> dict[str, object]:
    return {
        "n": n,
        "sku": row.sku,
        "name": row.name,
        "brand": row.brand,
        "category_id": known[row.category] if row.category else None,
        "description": row.description,
        "attributes": row.attributes,
        # Our own pictures, come back with an export.
        "images": [row.image.removeprefix(shapes.media_address())] if row.image else [],
        "options": row.options,
        "price": row.price,
        "currency": row.currency,
        "group": row.group or None,
        "base": slugs.base(row.name),
        "feed": {
            "id": row.sku,
            "name": row.name,
            "brand": row.brand,
            "category": " > ".join(row.category),
            "description": row.description,
            "attributes": row.attributes,
            "image": row.image,
        },
    }
