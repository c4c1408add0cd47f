"""The derived columns: right after whatever wrote to the catalogue."""

import pytest
from django.core.management import call_command
from django.db import connection

from products.models import Category, Product, Variant, Word

pytestmark = pytest.mark.django_db
DERIVED = ("slug", "min_price", "lineage", "words")


def test_rows_changed_by_plain_sql_are_found_after_a_refresh(sell, shelves, api):
    sell("Shirt", category=shelves["Fruit"], variants={"A": ({}, 900), "B": ({}, 800)})
    sell("Ball", category=shelves["Toys"])
    before = list(Product.objects.order_by("id").values_list(*DERIVED))
    Product.objects.update(lineage=[], words=None, min_price=1)
    Category.objects.update(path=[], lineage=[])
    Word.objects.all().delete()
    call_command("refresh_products")
    assert list(Product.objects.order_by("id").values_list(*DERIVED)) == before
    assert Category.objects.get(name="Tropical").path == ["Food", "Fruit", "Tropical"]
    assert [hit["slug"] for hit in api.get("/api/v1/products?q=shrt").json()["results"]] == ["shirt"]


def test_an_import_writes_what_a_refresh_would(tmp_path, stock):
    path = tmp_path / "feed.csv"
    rows = ["A,Crème 1,2,A > B,Acme,", "B,Crème 2,1,A > C,,G", "C,Other,3,,,G"]
    path.write_text("\n".join(["id,title,price,product_type,brand,item_group_id", *rows]))
    call_command("import_products", str(path))
    imported = list(Product.objects.order_by("id").values_list(*DERIVED))
    words = set(Word.objects.values_list("word", flat=True))
    Product.objects.update(lineage=[], words=None, min_price=1)
    call_command("refresh_products")
    assert list(Product.objects.order_by("id").values_list(*DERIVED)) == imported
    assert words == set(Word.objects.values_list("word", flat=True)) == {"creme", "acme"}


def test_a_product_that_did_not_change_is_not_written(sell):
    product = sell("Shirt")
    with connection.cursor() as cursor:
        cursor.execute("SELECT ctid FROM products_product")
        before = cursor.fetchall()
        call_command("refresh_products")
        cursor.execute("SELECT ctid FROM products_product")
        assert cursor.fetchall() == before
    assert Variant.objects.get().product_id == product.pk
