"""The derived columns: what is repeated on products and categories so that reads need no joins.

Whoever changes a product, its variants or a category calls this in the same transaction; nobody else writes them, but
for new products of an import (upsert.py), which are born with them.
"""

from collections.abc import Iterable

from django.db import connection, transaction

from products.domain import shapes
from products.models import Category

BATCH = 2000

_PRODUCTS = f"""
    UPDATE products_product p SET min_price = d.min_price, lineage = d.lineage, words = d.words, card = d.card
    FROM (
        SELECT p.id, v.min_price, coalesce(c.lineage, '{{}}') AS lineage,
            products_words(p.name, p.brand, c.path, v.skus) AS words,
            {shapes.stored_card("p", shapes.CATEGORY, "coalesce(v.variants, '[]')")} AS card
        FROM products_product p
        LEFT JOIN products_category c ON c.id = p.category_id
        CROSS JOIN LATERAL (
            SELECT min(v.price) AS min_price, array_agg(v.sku ORDER BY v.id) AS skus,
                json_agg({shapes.VARIANT} ORDER BY v.id) AS variants
            FROM products_variant v WHERE v.product_id = p.id
        ) v
        WHERE p.id = ANY(%s)
    ) d
    WHERE p.id = d.id
        AND (p.min_price, p.lineage, p.words, p.card) IS DISTINCT FROM (d.min_price, d.lineage, d.words, d.card)
"""
# What a misspelled word is compared with. Words that went out of use stay: they do no harm.
_WORDS = """
    INSERT INTO products_word (word)
    SELECT DISTINCT w COLLATE "C" AS word FROM products_product p
    LEFT JOIN products_category c ON c.id = p.category_id,
    unnest(tsvector_to_array(to_tsvector(
        'simple', unaccent(concat_ws(' ', p.name, p.brand, array_to_string(c.path, ' ')))
    ))) AS w
    WHERE p.id = ANY(%s) AND length(w) BETWEEN 3 AND 40 AND w ~ '^[[:alpha:]]+$'
    ORDER BY word ON CONFLICT DO NOTHING
"""


def refresh(ids: Iterable[int]) -> None:
    """Brings the derived columns of these products up to date, and the words that spelling is checked by."""
    wanted = sorted(set(ids))
    with connection.cursor() as cursor:
        for start in range(0, len(wanted), BATCH):
            cursor.execute(_PRODUCTS, [wanted[start : start + BATCH]])
            cursor.execute(_WORDS, [wanted[start : start + BATCH]])


def refresh_words(ids: list[int]) -> None:
    """Only the words: for products that were just written with their derived columns."""
    with connection.cursor() as cursor:
        cursor.execute(_WORDS, [ids])


@transaction.atomic
def refresh_tree() -> None:
    """Brings ``path`` and ``lineage`` of every category up to date, and the products of those that changed."""
    tree = Category.objects.with_tree_fields().tree_fields(tree_path_names="name", tree_path_slugs="slug")
    changed = []
    for node in tree:
        if (node.path, node.lineage) != (node.tree_path_names, node.tree_path_slugs):
            node.path, node.lineage = node.tree_path_names, node.tree_path_slugs
            changed.append(node)
    Category.objects.bulk_update(changed, ["path", "lineage"], batch_size=500)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM products_product WHERE category_id = ANY(%s) ORDER BY id FOR UPDATE",
            [[node.pk for node in changed]],
        )
        ids = [row[0] for row in cursor.fetchall()]
    refresh(ids)
