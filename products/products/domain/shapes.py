"""Products as JSON, put together by PostgreSQL: a page of a list is one query, and Python passes its text on.

The shapes are those of the contract (docs/architecture.md); ``%%s`` is the address that stored pictures lie below.
"""

from django.conf import settings
from django.db.models import TextField
from django.db.models.expressions import RawSQL

_P = "products_product"
_IMAGE = "CASE WHEN starts_with({0}, 'http') THEN {0} ELSE %s || {0} END"
_PRICE = "json_build_object('amount', v.price, 'currency', v.currency)"
_CATEGORY = f"""
    (SELECT json_build_object('slug', c.slug, 'name', c.name, 'path', c.path)
     FROM products_category c WHERE c.id = {_P}.category_id)"""
_VARIANTS = f"""
    (SELECT coalesce(json_agg(
         json_build_object('sku', v.sku, 'options', v.options, 'price', {_PRICE}) ORDER BY v.id), '[]')
     FROM products_variant v WHERE v.product_id = {_P}.id)"""
_SHORT = f"""
    'slug', {_P}.slug, 'name', {_P}.name, 'brand', {_P}.brand, 'category', {_CATEGORY},
    'image', {_IMAGE.format(_P + ".images[1]")}, 'variants', {_VARIANTS}"""
_MOMENT = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
_LONG = f"""{_SHORT},
    'description', {_P}.description, 'attributes', {_P}.attributes,
    'images', (SELECT coalesce(json_agg({_IMAGE.format("i.path")} ORDER BY i.n), '[]')
               FROM unnest({_P}.images) WITH ORDINALITY AS i(path, n)),
    'status', {_P}.status, 'created', {_MOMENT.format(_P + ".created")}, 'updated', {_MOMENT.format(_P + ".updated")}"""

# A product as its own page shows it, as JSON text.
PAGE = f"""
    SELECT json_build_object({_LONG.replace("%s", "%(address)s")})::text
    FROM {_P} WHERE slug = %(slug)s AND (status = 'active' OR NOT %(public)s)
"""

# Public products as lists show them, with all sort keys; conditions, order and limit are put behind it.
CARDS = f"""
    SELECT id, sort_name, min_price, created, json_build_object({_SHORT.replace("%s", "%(address)s")})::text AS card
    FROM {_P} WHERE status = 'active'"""

# A variant's name is its product's, and its options where the product has several variants.
VARIANTS_BY_SKU = f"""
    SELECT json_build_object('variants', coalesce(json_agg(json_build_object(
        'sku', v.sku,
        'name', p.name || CASE WHEN o.options IS NOT NULL AND EXISTS (
            SELECT FROM products_variant w WHERE w.product_id = v.product_id AND w.id <> v.id
        ) THEN ' (' || o.options || ')' ELSE '' END,
        'price', {_PRICE},
        'image', {_IMAGE.format("p.images[1]").replace("%s", "%(address)s")},
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


def card() -> RawSQL:
    """A product as lists show it, as JSON text."""
    return RawSQL(f"json_build_object({_SHORT})::text", [media_address()], output_field=TextField())  # noqa: S611 - of constants
