"""A product's own page, and what staff do with products."""

import pytest

from products.models import Category, Product, Variant

pytestmark = pytest.mark.django_db
PRODUCTS = "/api/v1/products"
USD = {"amount": 1990, "currency": "USD"}
SHIRT = {"name": "Shirt", "variants": [{"sku": "SH-R", "options": {"color": "red"}, "price": USD}]}


@pytest.fixture
def staff(as_staff):
    return as_staff("catalogue")


def fields_of(answer):
    return [error["field"] for error in answer.json()["errors"]]


def test_a_product_is_made_and_read(api, staff, shelves):
    body = SHIRT | {
        "brand": "Acme",
        "category": shelves["Tropical"],
        "description": "Cotton.\nSoft.",
        "attributes": {"washable": True, "sizes": ["L"]},
    }
    made = api.post(PRODUCTS, body, staff)
    assert (made.status_code, made["Location"]) == (201, f"http://testserver{PRODUCTS}/shirt")
    read = api.get(f"{PRODUCTS}/shirt")
    assert read.content == made.content
    shown = read.json()
    assert shown.pop("created") == shown.pop("updated")
    assert shown == {
        "slug": "shirt",
        "name": "Shirt",
        "brand": "Acme",
        "category": {"slug": "tropical", "name": "Tropical", "path": ["Food", "Fruit", "Tropical"]},
        "image": None,
        "variants": [{"sku": "SH-R", "options": {"color": "red"}, "price": USD}],
        "description": "Cotton.\nSoft.",
        "attributes": {"washable": True, "sizes": ["L"]},
        "images": [],
        "status": "active",
    }


def test_the_least_that_makes_a_product(api, staff):
    made = api.post(PRODUCTS, {"name": "Ball", "variants": [{"sku": "B", "price": USD}]}, staff).json()
    assert (made["brand"], made["category"], made["status"], made["attributes"]) == ("", None, "active", {})
    assert made["variants"] == [{"sku": "B", "options": {}, "price": USD}]


@pytest.mark.parametrize(
    ("name", "slugs"),
    [
        ("Shirt", ["shirt", "shirt-2", "shirt-3"]),
        ("Categories", ["categories-product", "categories-product-2", "categories-product-3"]),
        ("☃", ["product", "product-2", "product-3"]),
        ("Crème _brûlée_", ["creme-brulee", "creme-brulee-2", "creme-brulee-3"]),
    ],
)
def test_slugs_are_unique_by_suffix_and_never_a_word_with_a_meaning(api, staff, name, slugs):
    made = [
        api.post(PRODUCTS, {"name": name, "variants": [{"sku": f"S{n}", "price": USD}]}, staff).json() for n in range(3)
    ]
    assert [product["slug"] for product in made] == slugs
    assert api.get(f"{PRODUCTS}/{slugs[2]}").json()["variants"][0]["sku"] == "S2"


def test_a_suffix_that_is_another_products_name_is_passed_over(api, staff):
    def make(sku, name):
        return api.post(PRODUCTS, {"name": name, "variants": [{"sku": sku, "price": USD}]}, staff).json()["slug"]

    assert [make("A", "Bananas 2"), make("B", "Bananas"), make("C", "Bananas")] == ["bananas-2", "bananas", "bananas-3"]


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"name": ""}, ["name"]),
        ({"name": 5}, ["name"]),
        ({"name": "x" * 151}, ["name"]),
        ({"name": None}, ["name"]),
        ({"brand": "x" * 101}, ["brand"]),
        ({"category": "nope"}, ["category"]),
        ({"status": "archived"}, ["status"]),
        ({"attributes": []}, ["attributes"]),
        ({"colour": 1}, ["colour"]),
        ({"slug": "mine"}, ["slug"]),
        ({"variants": []}, ["variants"]),
        ({"variants": [{"sku": "a b", "price": USD}]}, ["variants.0.sku"]),
        ({"variants": [{"sku": "facets", "price": USD}]}, ["variants.0.sku"]),
        ({"variants": [{"sku": "A"}]}, ["variants.0.price"]),
        ({"variants": [{"sku": "A", "price": 19.9}]}, ["variants.0.price"]),
        ({"variants": [{"sku": "A", "price": USD | {"amount": -1}}]}, ["variants.0.price.amount"]),
        ({"variants": [{"sku": "A", "price": USD | {"amount": 2**31}}]}, ["variants.0.price.amount"]),
        ({"variants": [{"sku": "A", "price": USD | {"currency": "usd"}}]}, ["variants.0.price.currency"]),
        ({"variants": [{"sku": "A", "price": USD, "options": {"size": 5}}]}, ["variants.0.options.size"]),
        ({"variants": [{"sku": "A", "price": USD, "options": {"": "x"}}]}, ["variants.0.options"]),
        ({"variants": [{"sku": "A", "price": USD}, {"sku": "A", "price": USD}]}, ["variants"]),
    ],
)
def test_a_product_that_makes_no_sense_is_refused_field_by_field(api, staff, change, fields):
    answer = api.post(PRODUCTS, SHIRT | change, staff)
    assert answer.status_code == 400, answer.content
    assert fields_of(answer) == fields
    assert not Product.objects.exists()


def test_a_sku_names_one_variant_in_the_whole_shop(api, staff, sell):
    sell("Other", variants={"SH-R": ({}, 1)})
    answer = api.post(PRODUCTS, SHIRT, staff)
    assert (answer.status_code, answer.json()["code"]) == (409, "sku_taken")
    assert Product.objects.count() == 1
    assert api.post(PRODUCTS, SHIRT | {"variants": [{"sku": "sh-r", "price": USD}]}, staff).status_code == 201


def test_who_may_write(api, as_customer, as_staff, as_service, sell):
    sell("Shirt", variants={"S": ({}, 1)})
    before = Product.objects.values().get()
    callers = [({}, 401), (as_customer(), 403), (as_staff("orders"), 403), (as_service("orders"), 403)]
    for headers, status in callers:
        assert api.post(PRODUCTS, SHIRT, headers).status_code == status
        assert api.patch(f"{PRODUCTS}/shirt", {"name": "x"}, headers).status_code == status
        assert api.delete(f"{PRODUCTS}/shirt", headers).status_code == status
        assert api.post(f"{PRODUCTS}/categories", {"name": "x"}, headers).status_code == status
        assert api.post(f"{PRODUCTS}/shirt/images", None, headers).status_code == status
    assert Product.objects.values().get() == before
    assert not Category.objects.exists()
    assert api.get(f"{PRODUCTS}/shirt", {"Authorization": "Bearer nonsense"}).status_code == 401


def test_an_etag_saves_the_body(api, sell):
    sell("Shirt")
    first = api.get(f"{PRODUCTS}/shirt")
    tag = first["ETag"]
    assert tag.startswith('"')
    for header in (tag, f"W/{tag}", f'"x", {tag}'):
        again = api.get(f"{PRODUCTS}/shirt", {"If-None-Match": header})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
    assert api.get(f"{PRODUCTS}/shirt", {"If-None-Match": '"x"'}).status_code == 200
    Variant.objects.update(price=7)
    changed = api.get(f"{PRODUCTS}/shirt", {"If-None-Match": tag})
    assert (changed.status_code, changed["ETag"] != tag) == (200, True)


def test_a_page_is_one_query_and_may_be_cached_for_a_second(api, staff, sell, django_assert_num_queries):
    sell("Shirt")
    with django_assert_num_queries(1):
        answer = api.get(f"{PRODUCTS}/shirt")
    assert answer["Cache-Control"] == "max-age=1, stale-while-revalidate=1"
    assert api.get(f"{PRODUCTS}/shirt", staff)["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("status", ["draft", "archived"])
def test_drafts_and_what_is_archived_are_seen_by_catalogue_staff_only(api, staff, as_staff, as_customer, sell, status):
    product = sell("Shirt")
    Product.objects.filter(pk=product.pk).update(status=status)
    for headers in ({}, as_customer(), as_staff("orders")):
        answer = api.get(f"{PRODUCTS}/shirt", headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "product_not_found")
    assert api.get(f"{PRODUCTS}/shirt", staff).json()["status"] == status


@pytest.mark.parametrize("path", ["/nope", "/-", "/a/b", "/a%00b", "/categories/x", "/nope/images", "/a.b", "/%2e%2e"])
def test_what_is_not_there_is_404(api, staff, path):
    answer = api.get(PRODUCTS + path, staff)
    assert answer.status_code == (405 if path == "/nope/images" else 404)
    assert answer["Content-Type"] == "application/problem+json"


def test_a_change_changes_what_is_given(api, staff, sell, shelves):
    sell("Shirt", brand="Acme", category=shelves["Toys"], variants={"A": ({"color": "red"}, 500), "B": ({}, 600)})
    body = {
        "name": "Blouse",
        "category": shelves["Fruit"],
        "variants": [{"sku": "A", "price": {"amount": 450, "currency": "USD"}}, {"sku": "C", "price": USD}],
        "remove_variants": ["B"],
    }
    changed = api.patch(f"{PRODUCTS}/shirt", body, staff)
    assert changed.status_code == 200, changed.content
    shown = changed.json()
    assert (shown["slug"], shown["name"], shown["brand"]) == ("shirt", "Blouse", "Acme")
    assert shown["variants"] == [
        {"sku": "A", "options": {"color": "red"}, "price": {"amount": 450, "currency": "USD"}},
        {"sku": "C", "options": {}, "price": USD},
    ]
    assert shown["updated"] > shown["created"]
    assert changed["ETag"] == api.get(f"{PRODUCTS}/shirt")["ETag"]
    found = api.get(f"{PRODUCTS}?q=blouse&category=food&max_price=450").json()["results"]
    assert [hit["slug"] for hit in found] == ["shirt"]
    assert api.get(f"{PRODUCTS}?sku=B").json()["results"] == []
    assert api.patch(f"{PRODUCTS}/shirt", {"category": None}, staff).json()["category"] is None


def test_a_change_with_if_match_needs_the_product_as_it_was_read(api, staff, sell):
    sell("Shirt")
    tag = api.get(f"{PRODUCTS}/shirt")["ETag"]
    first = api.patch(f"{PRODUCTS}/shirt", {"name": "One"}, staff | {"If-Match": f"W/{tag}"})
    second = api.patch(f"{PRODUCTS}/shirt", {"name": "Two"}, staff | {"If-Match": tag})
    assert (first.status_code, second.status_code) == (200, 412)
    assert second.json()["code"] == "precondition_failed"
    assert Product.objects.get().name == "One"
    assert api.patch(f"{PRODUCTS}/shirt", {"name": "Three"}, staff | {"If-Match": "*"}).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"remove_variants": ["A"]}, 409, "variant_required"),
        ({"remove_variants": ["nope"]}, 400, "invalid"),
        ({"variants": [{"sku": "NEW"}]}, 400, "invalid"),
        ({"variants": [{"sku": "A"}], "remove_variants": ["A"]}, 400, "invalid"),
        ({"variants": [{"sku": "TAKEN", "price": USD}]}, 409, "sku_taken"),
        ({"images": ["http://elsewhere/x.png"]}, 400, "invalid"),
        ({"category": "nope"}, 400, "invalid"),
        ({"status": "gone"}, 400, "invalid"),
        ({"name": None}, 400, "invalid"),
        ({"nonsense": 1}, 400, "invalid"),
    ],
)
def test_a_refused_change_changes_nothing(api, staff, sell, body, status, code):
    sell("Shirt", variants={"A": ({}, 500)})
    sell("Other", variants={"TAKEN": ({}, 500)})
    before = api.get(f"{PRODUCTS}/shirt").content
    answer = api.patch(f"{PRODUCTS}/shirt", {"description": "new"} | body, staff)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.content
    assert api.get(f"{PRODUCTS}/shirt").content == before


def test_an_archived_product_leaves_the_shop_and_may_come_back(api, staff, sell):
    sell("Shirt")
    for _ in range(2):
        assert api.delete(f"{PRODUCTS}/shirt", staff).status_code == 204
    assert api.get(f"{PRODUCTS}/shirt").status_code == 404
    assert api.get(f"{PRODUCTS}/shirt", staff).json()["status"] == "archived"
    assert api.delete(f"{PRODUCTS}/nope", staff).status_code == 404
    assert api.patch(f"{PRODUCTS}/shirt", {"status": "active"}, staff).status_code == 200
    assert api.get(f"{PRODUCTS}/shirt").status_code == 200


def test_categories_are_made_below_each_other(api, staff):
    food = api.post(f"{PRODUCTS}/categories", {"name": "Food"}, staff)
    assert (food.status_code, food.json()) == (201, {"slug": "food", "name": "Food", "parent": None, "path": ["Food"]})
    milk = api.post(f"{PRODUCTS}/categories", {"name": "Food", "parent": "food"}, staff).json()
    assert milk == {"slug": "food-2", "name": "Food", "parent": "food", "path": ["Food", "Food"]}
    again = api.post(f"{PRODUCTS}/categories", {"name": "Food", "parent": None}, staff)
    assert (again.status_code, again.json()["code"]) == (409, "category_exists")
    lost = api.post(f"{PRODUCTS}/categories", {"name": "X", "parent": "nope"}, staff)
    assert (lost.status_code, fields_of(lost)) == (400, ["parent"])
    assert Category.objects.count() == 2


def test_categories_end_at_a_depth(api, staff):
    parent = None
    for level in range(10):
        parent = api.post(f"{PRODUCTS}/categories", {"name": f"L{level}", "parent": parent}, staff).json()["slug"]
    answer = api.post(f"{PRODUCTS}/categories", {"name": "deeper", "parent": parent}, staff)
    assert (answer.status_code, fields_of(answer)) == (400, ["parent"])


@pytest.mark.parametrize("rows", [1, 3])
def test_other_services_ask_for_variants_in_one_query(api, as_service, sell, rows, django_assert_num_queries):
    skus = [next(iter(sell(f"P{n}").variants.values_list("sku", flat=True))) for n in range(rows)]
    with django_assert_num_queries(1):
        answer = api.post("/internal/variants", {"skus": skus}, as_service("cart"))
    assert sorted(variant["sku"] for variant in answer.json()["variants"]) == sorted(skus)


def test_a_variant_is_named_by_its_options_where_there_are_several(api, as_service, as_staff, sell):
    options = {"size": "L", "color": "red"}
    sell("Shirt", variants={"A": (options, 500), "B": ({}, 600)})
    sell("Ball", variants={"C": (options, 700)}, currency="EUR", status="draft")
    answer = api.post("/internal/variants", {"skus": ["A", "B", "C", "nope"]}, as_service("orders"))
    variants = sorted(answer.json()["variants"], key=lambda variant: variant["sku"])
    plain = {"image": None, "slug": "shirt", "sellable": True}
    assert variants == [
        {"sku": "A", "name": "Shirt (red, L)", "price": {"amount": 500, "currency": "USD"}} | plain,
        {"sku": "B", "name": "Shirt", "price": {"amount": 600, "currency": "USD"}} | plain,
        {
            "sku": "C",
            "name": "Ball",
            "price": {"amount": 700, "currency": "EUR"},
            "image": None,
            "slug": "ball",
            "sellable": False,
        },
    ]
    for headers, status in (({}, 401), (as_staff(), 403), (as_service("customers"), 403)):
        assert api.post("/internal/variants", {"skus": ["A"]}, headers).status_code == status
    for skus in ([], ["a b"], [f"S{n}" for n in range(1001)], "A"):
        assert api.post("/internal/variants", {"skus": skus}, as_service("cart")).status_code == 400
