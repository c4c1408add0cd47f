"""The derived columns: right after whatever wrote to the catalogue."""

from io import BytesIO

import pytest
from django.core.management import call_command
from django.db import connection
from PIL import Image

from products.domain import derived, images, products
from products.models import Category, Product, Variant, Word

pytestmark = pytest.mark.django_db
Image.new("RGB", (8, 8), "red").save(_file := BytesIO(), "PNG")
PNG = _file.getvalue()
DERIVED = ("slug", "min_price", "lineage", "words", "card")


def test_rows_changed_by_plain_sql_are_found_after_a_refresh(sell, shelves, api):
    sell("Shirt", category=shelves["Fruit"], variants={"A": ({}, 900), "B": ({}, 800)})
    sell("Ball", category=shelves["Toys"])
    before = list(Product.objects.order_by("id").values_list(*DERIVED))
    Product.objects.update(lineage=[], words=None, min_price=1, card=None)
    Category.objects.update(path=[], lineage=[])
    Word.objects.all().delete()
    call_command("refresh_products")
    assert list(Product.objects.order_by("id").values_list(*DERIVED)) == before
    assert Category.objects.get(name="Tropical").path == ["Food", "Fruit", "Tropical"]
    assert [hit["slug"] for hit in api.get("/api/v1/products?q=shrt").json()["results"]] == ["shirt"]


def test_an_import_writes_what_a_refresh_would(tmp_path, stock):
    path = tmp_path / "feed.csv"
    rows = ["A,Crème 1,2,A > B,Acme,,", "B,Crème 2,1,A > C,,G,red", "C,Other,3,,,G,blue", "D,Crème 3,3,,,,"]
    path.write_text("\n".join(["id,title,price,product_type,brand,item_group_id,color", *rows]))
    call_command("import_products", str(path))
    imported = list(Product.objects.order_by("id").values_list(*DERIVED))
    words = set(Word.objects.values_list("word", flat=True))
    Product.objects.update(lineage=[], words=None, min_price=1, card=None)
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


def of_list(api):
    return api.get("/api/v1/products").json()["results"]


def test_a_list_shows_the_same_of_a_product_without_a_card(sell, shelves, api):
    sell('Shirt, "red" \\ blue', brand="Acmé", category=shelves["Fruit"], variants={"A": ({"a": "1"}, 9), "B": ({}, 8)})
    sell("Ball", images=["aa/1.webp"])
    sell("Cap", images=["https://x.test/a.png"])
    shown = of_list(api)
    assert [each["image"] for each in shown] == [
        "http://localhost:8080/media/aa/1.webp",
        "https://x.test/a.png",
        None,
    ]
    assert not Product.objects.filter(card=None).exists()
    Product.objects.update(card=None)
    assert of_list(api) == shown


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Blouse"},
        {"brand": "Zed"},
        {"category": None},
        {"min_price": 5},
        {"words": "other"},
        {"updated": "2030-01-01T00:00Z"},
    ],
)
def test_a_card_that_is_not_written_with_a_change_is_emptied(sell, shelves, api, change):
    product = sell("Shirt", brand="Acme", category=shelves["Fruit"])
    Product.objects.filter(pk=product.pk).update(description="Long", status="draft")
    assert Product.objects.get().card == product.card
    Product.objects.filter(pk=product.pk).update(**change, status="active")
    assert Product.objects.get().card is None
    assert of_list(api)[0]["name"] == change.get("name", "Shirt")
    call_command("refresh_products")
    assert Product.objects.get().card
    assert of_list(api)[0]["name"] == change.get("name", "Shirt")


def test_whatever_staff_change_leaves_a_true_card(sell, shelves, api, stock, tmp_path):
    product = sell("Shirt", price=1990, category=shelves["Fruit"])
    products.change(slug="shirt", fields={"name": "Blouse"}, variants=[{"sku": "S1", "price": 5}])
    images.add(slug="shirt", file=BytesIO(PNG), size=len(PNG))
    Category.objects.filter(slug=shelves["Food"]).update(name="Wares")
    derived.refresh_tree()
    (tmp_path / "feed.csv").write_text("id,title,price,color\nS1,Coat,7.00 USD,red")
    call_command("import_products", str(tmp_path / "feed.csv"))
    written, shown = Product.objects.get().card, of_list(api)
    assert (shown[0]["name"], shown[0]["category"]["path"]) == ("Blouse", ["Wares", "Fruit"])
    assert shown[0]["variants"] == [
        {"sku": "S1", "options": {"color": "red"}, "price": {"amount": 700, "currency": "USD"}}
    ]
    Product.objects.update(card=None)
    derived.refresh([product.pk])
    assert Product.objects.get().card == written
