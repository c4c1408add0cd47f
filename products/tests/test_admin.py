"""The shopkeeper's desk, page by page."""

from io import BytesIO

import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from products.domain import categories, products
from products.models import Category, Product, Variant

pytestmark = pytest.mark.django_db
ADMIN = "/admin/products/products"


@pytest.fixture
def desk(client):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return client


def body_of(*variants, name="Shirt", status="active", **fields):
    """A product's form as a browser sends it; variants as (id, sku, options, amount)."""
    form = {"name": name, "status": status, "brand": "", "category": "", "description": "", "attributes": "{}"} | fields
    kept = sum(1 for variant in variants if variant[0])
    form |= {"variants-TOTAL_FORMS": len(variants), "variants-INITIAL_FORMS": kept}
    for n, (id, sku, options, amount, *rest) in enumerate(variants):
        row = {"id": id, "sku": sku, "options": options, "amount": amount, "currency": "USD"}
        row |= {"DELETE": "on"} if rest else {}
        form |= {f"variants-{n}-{key}": value for key, value in row.items()}
    return form


def shown_fields(page):
    return [name for _, options in page.context["adminform"].fieldsets for name in options["fields"]]


def picture():
    raw = BytesIO()
    Image.new("RGB", (8, 8), "red").save(raw, "PNG")
    return SimpleUploadedFile("red.png", raw.getvalue())


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_shows_money_pictures_and_status_in_few_queries(desk, sell, shelves, rows, django_assert_num_queries):
    for n in range(rows):
        sell(f"Shirt {n}", price=1990, brand="Acme", category=shelves["Fruit"])
    with django_assert_num_queries(5):
        page = desk.get(f"{ADMIN}/product/").content.decode()
    assert page.count("19.90 USD") == rows
    assert "Food &gt; Fruit" in page


def test_the_list_is_searched_and_filtered(desk, sell, shelves):
    sell("Bananas", category=shelves["Tropical"])
    sell("Ball", category=shelves["Toys"])
    sell("Gone", status="draft")
    for query, there, not_there in (
        ("?q=banan", "Bananas", ">Ball<"),
        (f"?in={shelves['Food']}", "Bananas", ">Ball<"),
        ("?status__exact=draft", "Gone", "Bananas"),
        ("?picture=no", "Bananas", "nothing"),
    ):
        page = desk.get(f"{ADMIN}/product/{query}").content.decode()
        assert there in page, query
        assert not_there not in page, query


def test_a_product_is_made_with_variants_and_a_picture(desk, api, shelves):
    tropical = Category.objects.get(slug=shelves["Tropical"]).pk
    form = body_of(("", "SH-R", '{"color": "red"}', "19.90"), ("", "SH-B", "{}", "18"), category=tropical)
    answer = desk.post(f"{ADMIN}/product/add/", form | {"upload": picture()})
    assert answer.status_code == 302, answer.context["errors"]
    shown = api.get("/api/v1/products/shirt").json()
    assert [variant["price"]["amount"] for variant in shown["variants"]] == [1990, 1800]
    assert shown["image"].startswith("http://localhost:8080/media/")
    assert [
        hit["slug"] for hit in api.get("/api/v1/products?category=food&q=sh-b&max_price=1800").json()["results"]
    ] == ["shirt"]
    assert desk.get(f"{ADMIN}/product/{Product.objects.get().pk}/change/").status_code == 200


def test_a_change_of_name_and_price_is_found_at_once(desk, api, sell):
    product = sell("Shirt", price=1990)
    variant = product.variants.get()
    form = body_of((variant.pk, variant.sku, "{}", "9.90"), name="Blouse")
    assert desk.post(f"{ADMIN}/product/{product.pk}/change/", form).status_code == 302
    assert [hit["slug"] for hit in api.get("/api/v1/products?q=blouse&max_price=990").json()["results"]] == ["shirt"]
    assert api.get("/api/v1/products?q=shirt").json()["results"] == []


@pytest.mark.parametrize(
    ("variant", "said"),
    [
        (("", "a b", "{}", "1"), "1 to 64 letters"),
        (("", "A", "{}", "1.999"), "not an amount in USD"),
        (("", "A", "{}", "-1"), "Not below zero"),
        (("", "A", '{"color": 1}', "1"), "JSON object of texts"),
    ],
)
def test_what_makes_no_sense_is_said_beside_the_field(desk, variant, said):
    answer = desk.post(f"{ADMIN}/product/add/", body_of(variant))
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert not Product.objects.exists()


def test_an_active_product_keeps_a_variant(desk, sell):
    product = sell("Shirt")
    variant = product.variants.get()
    form = body_of((variant.pk, variant.sku, "{}", "1", "delete"))
    answer = desk.post(f"{ADMIN}/product/{product.pk}/change/", form)
    assert "An active product needs a variant" in answer.content.decode()
    assert Variant.objects.filter(pk=variant.pk).exists()
    assert "An active product needs" in desk.post(f"{ADMIN}/product/add/", body_of()).content.decode()


def test_no_picture_is_refused(desk, sell):
    form = body_of(("", "A", "{}", "1")) | {"upload": SimpleUploadedFile("a.png", b"<svg/>")}
    assert "not a picture" in desk.post(f"{ADMIN}/product/add/", form).content.decode()


def test_a_picture_is_removed(desk, sell):
    product = sell("Shirt")
    Product.objects.update(images=["aa/1.webp", "aa/2.webp"])
    variant = product.variants.get()
    form = body_of((variant.pk, variant.sku, "{}", "1")) | {"drop": ["http://localhost:8080/media/aa/1.webp"]}
    assert desk.post(f"{ADMIN}/product/{product.pk}/change/", form).status_code == 302
    assert Product.objects.get().images == ["aa/2.webp"]


def test_products_are_archived_published_and_exported(desk, api, sell):
    product = sell("Shirt", price=1990)
    run = lambda action: desk.post(f"{ADMIN}/product/", {"action": action, "_selected_action": [product.pk]})  # noqa: E731
    run("archive")
    assert api.get("/api/v1/products/shirt").status_code == 404
    run("publish")
    assert api.get("/api/v1/products/shirt").status_code == 200
    lines = b"".join(run("export").streaming_content).decode().splitlines()
    assert lines[1].startswith(f"{product.variants.get().sku},Shirt,,,,19.90 USD")
    assert desk.post(f"{ADMIN}/product/{product.pk}/delete/", {"post": "yes"}).status_code == 403


def test_publishing_what_has_nothing_to_sell_is_refused(desk):
    empty = Product.objects.create(slug="empty", name="Empty", status="draft")
    desk.post(f"{ADMIN}/product/", {"action": "publish", "_selected_action": [empty.pk]})
    empty.refresh_from_db()
    assert empty.status == "draft"


def test_a_category_that_moves_takes_its_products_along(desk, api, sell, shelves):
    sell("Bananas", category=shelves["Tropical"])
    tropical = Category.objects.get(slug=shelves["Tropical"])
    toys = Category.objects.get(slug=shelves["Toys"])
    form = {"name": "Exotic", "parent": toys.pk}
    assert desk.post(f"{ADMIN}/category/{tropical.pk}/change/", form).status_code == 302
    hit = api.get("/api/v1/products?category=toys&q=exotic").json()["results"][0]
    assert hit["category"] == {"slug": "tropical", "name": "Exotic", "path": ["Toys", "Exotic"]}
    assert api.get("/api/v1/products?category=food").json()["results"] == []
    loop = desk.post(f"{ADMIN}/category/{toys.pk}/change/", {"name": "Toys", "parent": tropical.pk})
    assert "descendant of itself" in loop.content.decode()


def test_a_category_is_made_and_listed(desk):
    assert desk.post(f"{ADMIN}/category/add/", {"name": "Food", "parent": ""}).status_code == 302
    assert categories.tree() == [{"slug": "food", "name": "Food", "count": 0, "children": []}]
    page = desk.get(f"{ADMIN}/category/").content.decode()
    assert "Food" in page
    assert desk.get(f"{ADMIN}/importrun/").status_code == 200


def test_search_by_sku_in_the_admin(desk, sell):
    product = sell("Shirt", variants={"AB-12.x": ({}, 1)})
    assert "Shirt" in desk.get(f"{ADMIN}/product/?q=ab-12.x").content.decode()
    assert products.page(slug=product.slug, public=True).etag


def test_who_may_only_look_sees_prices_and_no_fields_of_the_form(at_desk, sell):
    product = sell("Shirt", price=1990)
    path = f"{ADMIN}/product/{product.pk}/change/"
    page = at_desk("support").get(path)
    assert shown_fields(page) == [
        "name", "slug", "brand", "category", "status", "description", "attributes", "pictures", "created", "updated",
    ]  # fmt: skip
    assert "19.90 USD" in page.content.decode()
    assert "Amount" not in page.content.decode()
    assert {"drop", "upload"} < set(shown_fields(at_desk("catalogue").get(path)))


def test_a_new_product_has_no_times_yet(desk):
    page = desk.get(f"{ADMIN}/product/add/")
    assert shown_fields(page) == ["name", "brand", "category", "status", "description", "attributes", "upload"]
    assert "DatabaseDefault" not in page.content.decode()


@pytest.mark.parametrize(("currency", "warnings"), [("USD", []), ("eur", ["SH-B, SH-R"])])
def test_a_price_that_nobody_can_pay_is_saved_with_a_warning(desk, currency, warnings):
    form = body_of(("", "SH-R", "{}", "19.90"), ("", "SH-B", "{}", "18"))
    form |= {"variants-0-currency": currency, "variants-1-currency": currency}
    page = desk.post(f"{ADMIN}/product/add/", form, follow=True)
    assert [str(said) for said in page.context["messages"] if said.level_tag == "warning"] == [
        f"The shop sells in USD only: nobody can buy {skus} at a price in another currency." for skus in warnings
    ]
    assert set(Variant.objects.values_list("currency", flat=True)) == {currency.upper()}
