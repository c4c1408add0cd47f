"""The shape of what comes in and goes out. What goes out is made by PostgreSQL: domain/shapes.py."""

from typing import Any

from chassis.fields import MAX_INT, Money, Query, QueryInteger, Sku, StrictSerializer, Text
from chassis.pages import PageQuery
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from products.domain.search import Filters, words_of
from products.models import NAME_LENGTH, Product

STATUSES = Product.Status.values


@extend_schema_field(
    {
        "type": "object",
        "maxProperties": 10,
        "propertyNames": {"minLength": 1, "maxLength": 50},
        "additionalProperties": {"type": "string", "maxLength": 100} | Text().described(),
    }
)
class Options(serializers.DictField):
    """``{"color": "red"}``: short texts by short names."""

    child = Text(max_length=100)

    def to_internal_value(self, data: Any) -> dict[str, str]:
        """The options; at most 10, none without a name."""
        options: dict[str, str] = super().to_internal_value(data)
        if len(options) > 10 or any(not 0 < len(name) <= 50 for name in options):
            raise serializers.ValidationError("At most 10 options, their names 1 to 50 characters.", "invalid")
        return options


@extend_schema_field({"type": "object", "maxProperties": 100, "additionalProperties": {}})
class Attributes(serializers.DictField):
    """What else there is to say: any JSON object of at most 100 members."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """The object itself."""
        if not isinstance(data, dict):
            self.fail("not_a_dict", input_type=type(data).__name__)
        if len(data) > 100:
            raise serializers.ValidationError("At most 100 attributes.", "max_length")
        return data


class NewVariant(StrictSerializer):
    """A variant: what is sold."""

    sku = Sku()
    options = Options(required=False)
    price = Money()

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """The columns of a variant; ``price`` in minor units."""
        values = super().to_internal_value(data)
        if "price" in values:
            values |= {"price": values["price"]["amount"], "currency": values["price"]["currency"]}
        return dict(values)


class ChangedVariant(NewVariant):
    """A variant by its SKU; a known one keeps what is not given."""

    price = Money(required=False)


class ProductRequest(StrictSerializer):
    """A new product."""

    name = Text(max_length=NAME_LENGTH)
    brand = Text(max_length=100, allow_blank=True, required=False)
    category = Text(max_length=120, allow_null=True, required=False)
    description = Text(max_length=20_000, allow_blank=True, required=False)
    attributes = Attributes(required=False)
    status = serializers.ChoiceField(choices=["active", "draft"], required=False)
    variants = serializers.ListField(child=NewVariant(), min_length=1, max_length=100)


class ProductChange(StrictSerializer):
    """Changes; what is not given stays as it is."""

    name = Text(max_length=NAME_LENGTH, required=False)
    brand = Text(max_length=100, allow_blank=True, required=False)
    category = Text(max_length=120, allow_null=True, required=False)
    description = Text(max_length=20_000, allow_blank=True, required=False)
    attributes = Attributes(required=False)
    status = serializers.ChoiceField(choices=STATUSES, required=False)
    images = serializers.ListField(child=Text(max_length=2000), max_length=20, required=False)
    variants = serializers.ListField(child=ChangedVariant(), max_length=100, required=False)
    remove_variants = serializers.ListField(child=Sku(), max_length=100, required=False)


class CategoryRequest(StrictSerializer):
    """A new category, below ``parent`` or at the root."""

    name = Text(max_length=100)
    parent = Text(max_length=120, allow_null=True, required=False)  # type: ignore[assignment]


class VariantsRequest(StrictSerializer):
    """SKUs whose variants another service wants to know."""

    skus = serializers.ListField(child=Sku(), min_length=1, max_length=1000)


class ImageRequest(StrictSerializer):
    """A picture: JPEG, PNG, WebP or GIF, at most 10 MB and 25 million pixels."""

    image = serializers.FileField(max_length=1000)


class FiltersQuery(Query):
    """What narrows the list and the facets. Prices in minor units, inclusive; the cheapest variant counts."""

    q = Text(max_length=200, required=False, allow_blank=True)
    category = Text(max_length=120, required=False)
    brand = Text(max_length=100, required=False)
    min_price = QueryInteger(min_value=0, max_value=MAX_INT, required=False)
    max_price = QueryInteger(min_value=0, max_value=MAX_INT, required=False)
    sku = serializers.ListField(child=Sku(), max_length=100, required=False)


class ProductsQuery(FiltersQuery, PageQuery):
    """A page of the list."""

    ordering = serializers.ChoiceField(
        choices=["relevance", "name", "price", "-price", "created", "-created"], required=False
    )


def filters(query: dict[str, Any]) -> Filters:
    """The validated query as the domain wants it."""
    same = {name: query[name] for name in ("category", "brand", "min_price", "max_price") if name in query}
    return Filters(words=words_of(query.get("q", "")), skus=tuple(query.get("sku", ())), **same)


class CategoryOfProduct(serializers.Serializer[Any]):
    """Where a product stands; ``path`` holds names from the root."""

    slug = serializers.CharField()
    name = serializers.CharField()
    path = serializers.ListField(child=serializers.CharField())


class VariantAnswer(serializers.Serializer[Any]):
    """What is sold."""

    sku = serializers.CharField()
    options = serializers.DictField(child=serializers.CharField())
    price = Money()


class ProductCard(serializers.Serializer[Any]):
    """A product as lists show it."""

    slug = serializers.CharField()
    name = serializers.CharField()
    brand = serializers.CharField(allow_blank=True)
    category = CategoryOfProduct(allow_null=True)
    image = serializers.CharField(allow_null=True)
    variants = VariantAnswer(many=True)


class ProductPage(ProductCard):
    """A product as its own page shows it."""

    description = serializers.CharField(allow_blank=True)
    attributes = serializers.DictField()
    images = serializers.ListField(child=serializers.CharField())
    status = serializers.ChoiceField(choices=STATUSES)
    created = serializers.DateTimeField()
    updated = serializers.DateTimeField()


class ProductCards(serializers.Serializer[Any]):
    """A page of the list."""

    results = ProductCard(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class CategoryNode(serializers.Serializer[Any]):
    """A category; ``count`` holds the public products in it and below it."""

    slug = serializers.CharField()
    name = serializers.CharField()
    count = serializers.IntegerField()
    children = serializers.ListField(child=serializers.DictField(), help_text="Nodes like this one.")


class CategoryTree(serializers.Serializer[Any]):
    """The roots of the tree."""

    results = CategoryNode(many=True)
    next = serializers.CharField(allow_null=True, help_text="Always null: this is all.")
    previous = serializers.CharField(allow_null=True)


class CategoryAnswer(serializers.Serializer[Any]):
    """A category that was made."""

    slug = serializers.CharField()
    name = serializers.CharField()
    parent = serializers.CharField(allow_null=True)  # type: ignore[assignment]
    path = serializers.ListField(child=serializers.CharField())


class BrandFacet(serializers.Serializer[Any]):
    """How many products of a brand."""

    brand = serializers.CharField()
    count = serializers.IntegerField()


class CategoryFacet(serializers.Serializer[Any]):
    """How many products in a category and below it."""

    slug = serializers.CharField()
    name = serializers.CharField()
    count = serializers.IntegerField()


class PriceFacet(serializers.Serializer[Any]):
    """How many products in a price band: minor units, both ends inclusive, ``max`` null where it is open."""

    min = serializers.IntegerField()
    max = serializers.IntegerField(allow_null=True)
    count = serializers.IntegerField()


class FacetsAnswer(serializers.Serializer[Any]):
    """Counts within the filters."""

    count = serializers.IntegerField()
    exact = serializers.BooleanField(help_text="False where there are so many that they are estimated from a sample.")
    brands = BrandFacet(many=True)
    categories = CategoryFacet(many=True)
    prices = PriceFacet(many=True)
