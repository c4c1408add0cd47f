"""The catalogue as a product feed, which the import takes back."""

import csv
from collections.abc import Iterator, Sequence

from chassis.money import shown

from products.domain import shapes
from products.domain.feed import ATTRIBUTES, OPTIONS
from products.models import Variant

BATCH = 1000
COLUMNS = ("id", "title", "description", "product_type", "brand", "price", "item_group_id", "image_link")


class _Line:
    """Hands a written line on instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def lines(ids: Sequence[int]) -> Iterator[str]:
    """The variants of these products as CSV, a line at a time. Quantities are stock's and not in it."""
    writer = csv.writer(_Line())
    yield "\ufeff" + writer.writerow([*COLUMNS, *OPTIONS, *ATTRIBUTES])
    for start in range(0, len(ids), BATCH):
        rows = Variant.objects.filter(product__in=ids[start : start + BATCH]).select_related("product__category")
        for variant in rows.order_by("product", "pk"):
            yield writer.writerow(_cells(variant))


def _cells(variant: Variant) -> list[str]:
    product = variant.product
    return [
        variant.sku,
        product.name,
        product.description,
        " > ".join(product.category.path) if product.category else "",
        product.brand,
        shown(variant.price, variant.currency).replace(",", ""),
        product.group or "",
        shapes.address_of(product.images[0]) if product.images else "",
        *(str(variant.options.get(name, "")) for name in OPTIONS),
        *(str(product.attributes.get(name, "")) for name in ATTRIBUTES),
    ]
