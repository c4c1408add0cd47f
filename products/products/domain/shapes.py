"""Products as JSON, put together by PostgreSQL: a page of a list is one query, and Python passes its text on.

The shapes are those of the contract (docs/architecture.md); ``%%(address)s`` is what stored pictures lie below.
"""

from django.conf import settings

_P = "products_product"
_IMAGE = "CASE WHEN starts_with({0}, 'http') THEN {0} ELSE %(address)s || {0} END"
_FIRST_IMAGE = _IMAGE.format(f"{_P}.images[1]")
_PRICE = "json_build_object('amount', v.price, 'currency', v.currency)"
# Of rows named c and v, which need not be those of the tables.
CATEGORY = "CASE WHEN c.id IS NOT NULL THEN json_build_object('slug', c.slug, 'name', c.name, 'path', c.path) END"
VARIANT = f"json_build_object('sku', v.sku, 'options', v.options, 'price', {_PRICE})"
_CATEGORY = f"(SELECT {CATEGORY} FROM products_category c WHERE c.id = {_P}.category_id)"
_VARIANTS = f"""
    (SELECT coalesce(json_agg({VARIANT} ORDER BY v.id), '[]') FROM products_variant v WHERE v.product_id = {_P}.id)"""
_SAME = "'slug', {0}.slug, 'name', {0}.name, 'brand', {0}.brand, 'category', {1}, 'variants', {2}"
_MOMENT = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""

# A product as its own page shows it, as JSON text.
PAGE = f"""
    SELECT json_build_object({_SAME.format(_P, _CATEGORY, _VARIANTS)}, 'image', {_FIRST_IMAGE},
        'description', {_P}.description, 'attributes', {_P}.attributes,
        'images', (SELECT coalesce(json_agg({_IMAGE.format("i.path")} ORDER BY i.n), '[]')
                   FROM unnest({_P}.images) WITH ORDINALITY AS i(path, n)),
        'status', {_P}.status, 'created', {_MOMENT.format(_P + ".created")},
        'updated', {_MOMENT.format(_P + ".updated")})::text
    FROM {_P} WHERE slug = %(slug)s AND (status = 'active' OR NOT %(public)s)
"""


def stored_card(row: str, category: str = _CATEGORY, variants: str = _VARIANTS) -> str:
    """What the column ``card`` holds of ``row``: JSON text of a product in a list, but for its picture.

    Whoever changes it empties the column in a migration.
    """
    return f"json_build_object({_SAME.format(row, category, variants)})::text"


CARD = f"""
    '{{"image": ' || coalesce(to_json({_FIRST_IMAGE})::text, 'null') || ', '
    || substr(coalesce({_P}.card, {stored_card(_P)}), 2)"""

# A variant's name is its product's, and its options where the product has several variants.
VARIANTS_BY_SKU = f"""
    SELECT json_build_object('variants', coalesce(json_agg(json_build_object(
        'sku', v.sku,
        'name', p.name || CASE WHEN o.options IS NOT NULL AND EXISTS (
            SELECT FROM products_variant w WHERE w.product_id = v.product_id AND w.id <> v.id
        ) THEN ' (' || o.options || ')' ELSE '' END,
        'price', {_PRICE},
        'image', {_IMAGE.format("p.images[1]")},
        'slug', p.slug,
        'sellable', p.status = 'active'
    )), '[]'))::text
    FROM products_variant v JOIN products_product p ON p.id = v.product_id
    CROSS JOIN LATERAL (SELECT string_agg(value, ', ' ORDER BY key) AS options FROM jsonb_each_text(v.options)) o
    WHERE v.sku = ANY(%(skus)s)
"""


def media_address() -> str:
    """What stored pictures' paths are appended to."""
    return f"{settings.PUBLIC_URL}{settings.MEDIA_URL}"


def address_of(path: str) -> str:
    """The address of a picture: of a stored one below /media/, or the feed's own."""
    return path if path.startswith("http") else media_address() + path
