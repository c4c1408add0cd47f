"""What staff do with products: create, change, archive. Each is one transaction; the product's row is locked first."""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypedDict

from chassis import prepared
from chassis.errors import DomainError, Invalid, NotFound
from django.db import IntegrityError, connection, transaction
from django.db.models import Min
from django.db.models.functions import Now

from products import metrics
from products.domain import categories, derived, shapes, slugs
from products.models import Product, Variant

_COLUMNS = frozenset({"name", "brand", "description", "attributes", "status"})


class UnknownProduct(NotFound):
    """There is no such product, or none that the asker may see."""

    code, title = "product_not_found", "There is no such product"


class SkuTaken(DomainError):
    """A SKU names one variant in the whole shop."""

    code, title = "sku_taken", "The SKU is in use"


class VariantRequired(DomainError):
    """A product that is for sale has something to sell."""

    code, title = "variant_required", "An active product needs a variant"


class Changed(DomainError):
    """Somebody changed the product since the caller looked at it."""

    status, code, title = 412, "precondition_failed", "The product has changed meanwhile"


class NewVariant(TypedDict):
    """A variant as it comes in: ``price`` in minor units."""

    sku: str
    options: dict[str, str]
    price: int
    currency: str


@dataclass(frozen=True)
class Page:
    """A product's page as JSON, and its strong validator (RFC 9110 section 8.8.3): the hash of these bytes."""

    body: bytes

    @property
    def etag(self) -> str:
        """The entity tag, quoted."""
        return f'"{hashlib.sha256(self.body).hexdigest()[:32]}"'


def page(*, slug: str, public: bool) -> Page:
    """A product's page. Raises ``UnknownProduct``; to the public so are drafts and what is archived."""
    values = {"slug": slug, "public": public, "address": shapes.media_address()}
    with connection.cursor() as cursor:
        prepared.execute(cursor, shapes.PAGE, values)
        row = cursor.fetchone()
    if row is None:
        raise UnknownProduct(f"There is no product {slug}.")
    return Page(row[0].encode())


def create(*, name: str, variants: Sequence[NewVariant], category: str | None = None, **fields: Any) -> Page:
    """A new product with its variants; its slug is made from its name.

    Raises ``Invalid`` for an unknown category or a SKU given twice, ``SkuTaken``.
    """
    with transaction.atomic(), _skus_are_free():
        if len({variant["sku"] for variant in variants}) < len(variants):
            raise Invalid("variants", "The same SKU is given twice.", "duplicate")
        where = categories.by_slug(category)
        (slug,) = slugs.take([slugs.base(name)])
        cheapest = min(variant["price"] for variant in variants)
        product = Product.objects.create(name=name, slug=slug, category=where, min_price=cheapest, **fields)
        Variant.objects.bulk_create(Variant(product=product, **variant) for variant in variants)
        derived.refresh([product.pk])
        made = page(slug=slug, public=False)
    metrics.CHANGES.labels("created").inc()
    return made


def change(
    *,
    slug: str,
    fields: Mapping[str, Any],
    variants: Sequence[Mapping[str, Any]] = (),
    remove: Sequence[str] = (),
    if_match: Sequence[str] | None = None,
) -> Page:
    """Changes what ``fields`` names (name, brand, category, description, attributes, status, images); the slug stays.

    ``variants`` are matched by SKU: known ones get what is given of options, price and currency; new ones are added and
    need a price. ``remove`` takes SKUs away. Raises ``UnknownProduct``, ``Changed`` where none of ``if_match`` is the
    product's entity tag, ``Invalid``, ``SkuTaken``, ``VariantRequired``.
    """
    with transaction.atomic(), _skus_are_free():
        product = _locked(slug)
        if if_match and not {"*", page(slug=slug, public=False).etag} & set(if_match):
            raise Changed("Read the product again, then decide anew.")
        values = {name: value for name, value in fields.items() if name in _COLUMNS}
        if "category" in fields:
            values["category"] = categories.by_slug(fields["category"])
        if "images" in fields:
            values["images"] = _reordered(product, fields["images"])
        _change_variants(product, variants, remove)
        _check_for_sale(product, values)
        Product.objects.filter(pk=product.pk).update(**values, updated=Now())
        derived.refresh([product.pk])
        changed = page(slug=slug, public=False)
    metrics.CHANGES.labels("changed").inc()
    return changed


def archive(*, slug: str) -> None:
    """Takes a product out of the shop, for ever or until its status is changed. Raises ``UnknownProduct``."""
    with transaction.atomic():
        product = _locked(slug)
        if product.status != Product.Status.ARCHIVED:
            Product.objects.filter(pk=product.pk).update(status=Product.Status.ARCHIVED, updated=Now())
            metrics.CHANGES.labels("archived").inc()


def by_sku(*, skus: Sequence[str]) -> bytes:
    """What other services need to know of variants, as JSON ``{"variants": […]}``; unknown SKUs are absent."""
    values = {"address": shapes.media_address(), "skus": list(skus)}
    with connection.cursor() as cursor:
        prepared.execute(cursor, shapes.VARIANTS_BY_SKU, values)
        return str(cursor.fetchone()[0]).encode()


def _locked(slug: str) -> Product:
    product = Product.objects.select_for_update().filter(slug=slug).first()
    if product is None:
        raise UnknownProduct(f"There is no product {slug}.")
    return product


def _change_variants(product: Product, variants: Sequence[Mapping[str, Any]], remove: Sequence[str]) -> None:
    known = {variant.sku: variant for variant in product.variants.all()}
    for sku in remove:
        if sku not in known:
            raise Invalid("remove_variants", f"The product has no variant {sku}.", "not_found")
    for change in variants:
        sku, rest = change["sku"], {name: value for name, value in change.items() if name != "sku"}
        if sku in remove:
            raise Invalid("variants", f"{sku} is given here and in remove_variants.", "conflict")
        if sku in known:
            Variant.objects.filter(pk=known[sku].pk).update(**rest) if rest else None
        elif "price" not in rest:
            raise Invalid("variants", f"{sku} is new and needs a price.", "required")
        else:
            known[sku] = Variant.objects.create(product=product, sku=sku, **rest)
    product.variants.filter(sku__in=remove).delete()


def _check_for_sale(product: Product, values: dict[str, Any]) -> None:
    cheapest = product.variants.aggregate(price=Min("price"))["price"]
    if values.get("status", product.status) == Product.Status.ACTIVE and cheapest is None:
        raise VariantRequired("Add a variant, or make the product a draft.")
    values["min_price"] = cheapest


def _reordered(product: Product, addresses: Sequence[str]) -> list[str]:
    """The product's pictures in the order of these addresses; what is left out goes."""
    known = {shapes.address_of(path): path for path in product.images}
    for address in addresses:
        if address not in known:
            raise Invalid("images", f"{address} is not a picture of this product: upload it first.", "not_found")
    return [known[address] for address in dict.fromkeys(addresses)]


@contextmanager
def _skus_are_free() -> Any:
    try:
        yield
    except IntegrityError as error:
        if "products_variant_sku" in str(error):
            raise SkuTaken("One of the SKUs belongs to another product.") from None
        raise
