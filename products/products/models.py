"""Products, their variants, the category tree. What must always hold is a constraint here, not a hope elsewhere.

Columns under "derived" repeat what stands elsewhere, so that each list is one walk along one index, and the rows it
points at, at any size of the catalogue. domain/derived.py writes them and nobody else.
"""

from chassis.fields import RESERVED_WORDS, SKU_PATTERN
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Length, Lower, Now
from django.db.models.lookups import Exact
from tree_queries.fields import TreeNodeForeignKey
from tree_queries.models import TreeNode

NAME_LENGTH = 150
"""As in Google's product feed; a cursor holds a name, so names are bounded."""
SLUG_PATTERN = r"[a-z0-9]+(-[a-z0-9]+)*"


def _path_word(field: str, pattern: str) -> Q:
    """What stands in a path fits the pattern and is no word with a meaning there."""
    return Q(**{f"{field}__regex": f"^{pattern}$"}) & ~Q(**{f"{field}__in": sorted(RESERVED_WORDS)})


class JsonType(Func):
    """jsonb_typeof(…): object, array, string …"""

    function = "jsonb_typeof"
    output_field = models.TextField()


class Lot(Func):
    """A number drawn for each id, always the same: what random samples are taken by. A hash that is stored on disk by
    hash indexes and partitions, so that no release of PostgreSQL changes it.
    """

    function = "hashint8"
    output_field = models.IntegerField()


class Ranked(Func):
    """Each word together with the length of the name: see domain/relevance.py."""

    function = "products_ranked"
    output_field = SearchVectorField()


SAMPLE = 64
"""One product in so many is in the sample that facets are estimated from."""
IN_SAMPLE = Q(status="active") & Q(Exact(Lot("id").bitand(SAMPLE - 1), 0))


class Category(TreeNode):
    """A node of the category tree. Its slug never changes; its name and parent may."""

    parent = TreeNodeForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
    slug = models.CharField(max_length=120, unique=True, db_collation="C", editable=False)
    name = models.CharField(max_length=100)
    # Derived: from the root to this node.
    path = ArrayField(models.TextField(), default=list, editable=False)
    lineage = ArrayField(models.TextField(), default=list, editable=False)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "categories"
        constraints = [
            models.UniqueConstraint(fields=["parent", "name"], nulls_distinct=False, name="category_once_per_parent"),
            models.CheckConstraint(condition=_path_word("slug", SLUG_PATTERN), name="category_slug_fits"),
            models.CheckConstraint(condition=~Q(name=""), name="category_has_a_name"),
            models.CheckConstraint(condition=~Q(parent=F("id")), name="category_not_its_own_parent"),
        ]

    def __str__(self) -> str:
        return " > ".join(self.path) or self.name


class Product(models.Model):
    """What a page shows. What is sold are its variants."""

    class Status(models.TextChoices):
        ACTIVE = "active"
        DRAFT = "draft"
        ARCHIVED = "archived"

    slug = models.CharField(max_length=180, unique=True, db_collation="C", editable=False)
    name = models.CharField(max_length=NAME_LENGTH)
    brand = models.CharField(max_length=100, blank=True)
    category = models.ForeignKey(Category, on_delete=models.PROTECT, null=True, blank=True, db_index=False)
    description = models.TextField(blank=True, max_length=20_000)
    attributes = models.JSONField(default=dict, blank=True)
    status = models.CharField(max_length=10, choices=Status, db_default=Status.ACTIVE, default=Status.ACTIVE)
    images = ArrayField(models.TextField(), default=list, blank=True, help_text="Paths below /media/, or URLs.")
    created = models.DateTimeField(db_default=Now(), editable=False)
    updated = models.DateTimeField(db_default=Now(), editable=False)
    group = models.CharField(max_length=100, null=True, unique=True, editable=False)  # noqa: DJ001 - the feed's id
    feed = models.JSONField(null=True, editable=False, help_text="What the feed said last; see domain/imports.py.")
    # Derived.
    sort_name = models.GeneratedField(expression=Lower("name"), output_field=models.TextField(), db_persist=True)
    name_length = models.GeneratedField(expression=Length("name"), output_field=models.IntegerField(), db_persist=True)
    name_words = models.GeneratedField(
        expression=SearchVector("name", config="goods"), output_field=SearchVectorField(), db_persist=True
    )
    min_price = models.IntegerField(null=True, editable=False, help_text="Of the cheapest variant, minor units.")
    lineage = ArrayField(models.TextField(), default=list, editable=False, help_text="Slugs of the categories.")
    words = SearchVectorField(null=True, editable=False, help_text="Name, brand, categories, SKUs.")
    card = models.TextField(null=True, editable=False, help_text="JSON as lists show it; null: to be made.")  # noqa: DJ001

    class Meta:
        ordering = ["sort_name", "id"]
        constraints = [
            models.CheckConstraint(condition=_path_word("slug", SLUG_PATTERN), name="product_slug_fits"),
            models.CheckConstraint(condition=~Q(name=""), name="product_has_a_name"),
            models.CheckConstraint(
                condition=Q(status__in=["active", "draft", "archived"]), name="product_status_known"
            ),
            models.CheckConstraint(
                condition=~Q(status="active") | Q(min_price__isnull=False), name="product_active_has_a_price"
            ),
            models.CheckConstraint(
                condition=Exact(JsonType("attributes"), Value("object")), name="product_attributes_are_an_object"
            ),
        ]
        # One index for each order of the public list, and one for each way to narrow it.
        indexes = [
            models.Index(fields=["sort_name", "id"], condition=Q(status="active"), name="product_by_name"),
            models.Index(fields=["min_price", "id"], condition=Q(status="active"), name="product_by_price"),
            models.Index(fields=["created", "id"], condition=Q(status="active"), name="product_by_created"),
            # For the release before this one; the next one drops it.
            models.Index(fields=["name_length", "id"], condition=Q(status="active"), name="product_by_relevance"),
            models.Index(fields=["brand", "sort_name", "id"], condition=Q(status="active"), name="product_of_brand"),
            models.Index(fields=["category"], condition=Q(status="active"), name="product_of_category"),
            GinIndex(fields=["lineage"], name="product_in_lineage"),
            GinIndex(fields=["name_words"], name="product_name_words"),
            GinIndex(fields=["words"], name="product_words"),
            models.Index(
                Lot("id"), include=["id", "brand", "lineage", "min_price"], condition=IN_SAMPLE, name="product_sample"
            ),
            GinIndex(Ranked("name_words", "words", "name_length"), name="product_ranked"),
            GinIndex(fields=["words"], condition=IN_SAMPLE, name="product_sample_words"),
            GinIndex(fields=["lineage"], condition=IN_SAMPLE, name="product_sample_lineage"),
        ]

    def __str__(self) -> str:
        return self.name


class Variant(models.Model):
    """What is sold: a SKU with its options and its price."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="variants")
    sku = models.CharField("SKU", max_length=64, unique=True, db_collation="C")
    options = models.JSONField(default=dict, blank=True, help_text='Such as {"color": "red", "size": "L"}.')
    price = models.IntegerField(help_text="In minor units: 1990 is 19.90 USD.")
    currency = models.CharField(max_length=3, help_text="ISO 4217")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=_path_word("sku", SKU_PATTERN), name="variant_sku_fits"),
            models.CheckConstraint(condition=Q(price__gte=0), name="variant_price_not_negative"),
            models.CheckConstraint(condition=Q(currency__regex="^[A-Z]{3}$"), name="variant_currency_fits"),
            models.CheckConstraint(
                condition=Exact(JsonType("options"), Value("object")),
                name="variant_options_are_an_object",
            ),
        ]

    def __str__(self) -> str:
        return self.sku


class GivenSlug(models.Model):
    """Every slug that a product ever got, and how many products asked for it: see domain/slugs.py."""

    slug = models.CharField(max_length=180, primary_key=True, db_collation="C")
    asked = models.IntegerField(default=1)

    def __str__(self) -> str:
        return self.slug


class Word(models.Model):
    """A word that stands in names, brands or categories: what a misspelled one is compared with."""

    word = models.CharField(max_length=40, primary_key=True, db_collation="C")

    class Meta:
        indexes = [GinIndex(OpClass("word", name="gin_trgm_ops"), name="word_trigrams")]

    def __str__(self) -> str:
        return self.word


class ImportRun(models.Model):
    """The import of one file's content: how far it came, so that it is done once and goes on where it stopped."""

    content = models.CharField(max_length=64, primary_key=True, help_text="SHA-256 of the file.")
    file = models.CharField(max_length=200)
    rows_done = models.BigIntegerField(default=0, help_text="Rows that are in, their quantities received.")
    rows_refused = models.BigIntegerField(default=0)
    started = models.DateTimeField(db_default=Now())
    completed = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-started"]
        constraints = [
            models.CheckConstraint(
                condition=Q(rows_done__gte=0, rows_refused__gte=0), name="import_run_counts_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return self.file
