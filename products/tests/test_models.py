"""Each constraint of the database, tried."""

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import ProtectedError

from products.models import Category, GivenSlug, ImportRun, Product, Variant, Word

pytestmark = pytest.mark.django_db


def refused(constraint: str):
    return pytest.raises(DatabaseError, match=constraint)


@pytest.fixture
def product(db):
    return Product.objects.create(slug="shirt", name="Shirt", min_price=1, status="active", group="g")


@pytest.fixture
def variant(product):
    return Variant.objects.create(product=product, sku="A", price=1, currency="USD")


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"slug": "Shirt"}, "product_slug_fits"),
        ({"slug": "a--b"}, "product_slug_fits"),
        ({"slug": "-a"}, "product_slug_fits"),
        ({"slug": "a/b"}, "product_slug_fits"),
        ({"slug": "facets"}, "product_slug_fits"),
        ({"slug": "a\n"}, "product_slug_fits"),
        ({"name": ""}, "product_has_a_name"),
        ({"status": "gone"}, "product_status_known"),
        ({"min_price": None}, "product_active_has_a_price"),
        ({"attributes": [1]}, "product_attributes_are_an_object"),
        ({"category": 9999}, "foreign key"),
    ],
)
def test_a_product_is_never_impossible(product, change, constraint):
    column = {name if name != "category" else "category_id": value for name, value in change.items()}
    with refused(constraint), transaction.atomic():
        Product.objects.filter(pk=product.pk).update(**column)
        connection.check_constraints()
    assert Product.objects.values_list("slug", "name", "status", "min_price").get() == ("shirt", "Shirt", "active", 1)


@pytest.mark.parametrize("field", ["slug", "group"])
def test_a_slug_and_a_group_are_of_one_product(product, field):
    other = {"slug": "other", "group": "h"} | {field: getattr(product, field)}
    with refused(f"products_product_{field}"), transaction.atomic():
        Product.objects.create(name="Other", status="draft", **other)
    assert Product.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"sku": ""}, "variant_sku_fits"),
        ({"sku": "a b"}, "variant_sku_fits"),
        ({"sku": ".a"}, "variant_sku_fits"),
        ({"sku": "metrics"}, "variant_sku_fits"),
        ({"price": -1}, "variant_price_not_negative"),
        ({"currency": "usd"}, "variant_currency_fits"),
        ({"currency": "US"}, "variant_currency_fits"),
        ({"options": ["red"]}, "variant_options_are_an_object"),
        ({"product_id": 9999}, "foreign key"),
    ],
)
def test_a_variant_is_never_impossible(variant, change, constraint):
    with refused(constraint), transaction.atomic():
        Variant.objects.filter(pk=variant.pk).update(**change)
        connection.check_constraints()
    assert Variant.objects.values_list("sku", "price", "currency", "options").get() == ("A", 1, "USD", {})


def test_a_sku_is_of_one_variant_and_case_counts(variant, product):
    with refused("products_variant_sku"), transaction.atomic():
        Variant.objects.create(product=product, sku="A", price=1, currency="USD")
    Variant.objects.create(product=product, sku="a", price=1, currency="USD")


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"slug": "Food"}, "category_slug_fits"),
        ({"slug": "categories"}, "category_slug_fits"),
        ({"name": ""}, "category_has_a_name"),
        ({"parent": 9999}, "foreign key"),
    ],
)
def test_a_category_is_never_impossible(change, constraint):
    category = Category.objects.create(slug="food", name="Food")
    column = {name if name != "parent" else "parent_id": value for name, value in change.items()}
    with refused(constraint), transaction.atomic():
        Category.objects.filter(pk=category.pk).update(**column)
        connection.check_constraints()
    assert Category.objects.values_list("slug", "name", "parent").get() == ("food", "Food", None)


def test_a_category_stands_once_in_its_place_and_not_in_itself():
    food = Category.objects.create(slug="food", name="Food")
    with refused("category_once_per_parent"), transaction.atomic():
        Category.objects.create(slug="food-2", name="Food")
    with refused("products_category_slug"), transaction.atomic():
        Category.objects.create(slug="food", name="Other")
    with refused("category_not_its_own_parent"), transaction.atomic():
        Category.objects.filter(pk=food.pk).update(parent=food)
    assert Category.objects.count() == 1


def test_a_category_that_is_used_cannot_be_deleted(product):
    food = Category.objects.create(slug="food", name="Food")
    fruit = Category.objects.create(slug="fruit", name="Fruit", parent=food)
    Product.objects.filter(pk=product.pk).update(category=fruit)
    for category in (food, fruit):
        with pytest.raises(ProtectedError):
            category.delete()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM products_category")
        connection.check_constraints()
    assert Category.objects.count() == 2


@pytest.mark.parametrize("field", ["rows_done", "rows_refused"])
def test_an_import_counts_from_zero(field):
    with refused("import_run_counts_not_negative"), transaction.atomic():
        ImportRun.objects.create(content="x", file="f", **{field: -1})
    assert not ImportRun.objects.exists()


@pytest.mark.parametrize(
    ("model", "key"), [(GivenSlug, {"slug": "a"}), (Word, {"word": "a"}), (ImportRun, {"content": "a"})]
)
def test_what_is_remembered_is_remembered_once(model, key):
    model.objects.create(**key)
    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.create(**key)
    assert model.objects.count() == 1
