"""Products, as the contract has it."""

from typing import Any
from uuid import uuid4

import pytest

from support.people import Person, Staff

CARD = {"slug", "name", "brand", "category", "image", "variants"}
PAGE = CARD | {"description", "attributes", "images", "status", "created", "updated"}
USD = "USD"


def variant(**changes: Any) -> dict[str, Any]:
    return {"sku": f"E2E-{uuid4().hex[:12]}", "price": {"amount": 100, "currency": USD}} | changes


def product(**changes: Any) -> dict[str, Any]:
    return {"name": f"Thing {uuid4().hex[:8]}", "variants": [variant()]} | changes


def names(person: Person, path: str) -> list[str]:
    """The names on every page."""
    page = person.get(path).ok()
    found = [row["name"] for row in page["results"]]
    while page["next"]:
        page = person.send("GET", page["next"]).ok()
        found += [row["name"] for row in page["results"]]
    return found


def test_a_list_has_these_fields(guest: Person) -> None:
    page = guest.get("/products").ok()
    assert set(page) == {"results", "next", "previous"}
    assert len(page["results"]) == 20
    for card in page["results"]:
        assert set(card) == CARD
        assert card["category"] is None or set(card["category"]) == {"slug", "name", "path"}
        assert all(set(each) == {"sku", "options", "price"} for each in card["variants"])
        assert all(type(each["price"]["amount"]) is int for each in card["variants"])


def test_a_page_has_these_fields_and_an_etag(guest: Person) -> None:
    slug = guest.get("/products?q=bananna").ok()["results"][0]["slug"]
    answer = guest.get(f"/products/{slug}")
    assert set(answer.ok()) == PAGE
    etag = answer.headers["ETag"]
    same = guest.get(f"/products/{slug}", headers={"If-None-Match": etag})
    assert (same.status, same.body, same.headers["ETag"]) == (304, b"", etag)
    assert guest.get(f"/products/{slug}", headers={"If-None-Match": '"other"'}).status == 200


def test_a_made_product_has_what_was_given_and_a_slug_of_its_own(guest: Person, staff: Staff) -> None:
    body = product(
        name=f"Café Crème {uuid4().hex[:6]}",
        brand="Maison",
        category=None,
        description="Strong.",
        attributes={"roast": "dark", "grams": 250},
        variants=[
            variant(options={"size": "S"}),
            variant(options={"size": "L"}, price={"amount": 250, "currency": USD}),
        ],
    )
    first, second = (staff.post("/products", body | {"variants": v}) for v in (body["variants"], [variant()]))
    made = first.ok(201)
    assert set(made) == PAGE
    assert {name: made[name] for name in ("name", "brand", "description", "attributes", "status")} == {
        "name": body["name"],
        "brand": "Maison",
        "description": "Strong.",
        "attributes": {"roast": "dark", "grams": 250},
        "status": "active",
    }
    assert made["variants"] == body["variants"]
    assert made["slug"].startswith("cafe-creme-")
    assert second.ok(201)["slug"] != made["slug"]
    assert guest.get(f"/products/{made['slug']}").ok() == made


def test_only_a_name_and_variants_are_needed(staff: Staff) -> None:
    made = staff.post("/products", product()).ok(201)
    assert (made["brand"], made["category"], made["description"], made["attributes"]) == ("", None, "", {})
    assert (made["image"], made["images"], made["status"]) == (None, [], "active")
    assert [each["options"] for each in made["variants"]] == [{}]


@pytest.mark.parametrize("word", ["categories", "facets", "current", "movements", "metrics", "me", "openapi.json"])
def test_a_word_with_a_meaning_is_never_a_slug_nor_a_sku(staff: Staff, guest: Person, word: str) -> None:
    made = staff.post("/products", product(name=word)).ok(201)
    assert made["slug"] not in (word, "openapi-json") or word == "openapi.json"
    assert guest.get(f"/products/{made['slug']}").ok()["name"] == word
    refused = staff.post("/products", product(variants=[variant(sku=word)]))
    assert refused.refused(400, "invalid", "variants.0.sku")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": 7}, "name"),
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"name": "x" * 2000}, "name"),
        ({"brand": 7}, "brand"),
        ({"brand": None}, "brand"),
        ({"category": 7}, "category"),
        ({"category": "no-such-category"}, "category"),
        ({"description": ["x"]}, "description"),
        ({"attributes": []}, "attributes"),
        ({"attributes": "x"}, "attributes"),
        ({"status": "archived"}, "status"),
        ({"status": "on sale"}, "status"),
        ({"status": None}, "status"),
        ({"variants": []}, "variants"),
        ({"variants": None}, "variants"),
        ({"variants": {}}, "variants"),
        ({"variants": ["x"]}, "variants.0"),
        ({"variants": [{}]}, "variants.0.sku variants.0.price"),
        ({"variants": [variant(sku=7)]}, "variants.0.sku"),
        ({"variants": [variant(sku="a b")]}, "variants.0.sku"),
        ({"variants": [variant(price=100)]}, "variants.0.price"),
        ({"variants": [variant(price="1.00 USD")]}, "variants.0.price"),
        ({"variants": [variant(price={"amount": "100", "currency": USD})]}, "variants.0.price.amount"),
        ({"variants": [variant(price={"amount": 1.5, "currency": USD})]}, "variants.0.price.amount"),
        ({"variants": [variant(price={"amount": -1, "currency": USD})]}, "variants.0.price.amount"),
        ({"variants": [variant(price={"amount": 2**31, "currency": USD})]}, "variants.0.price.amount"),
        ({"variants": [variant(price={"amount": 1, "currency": "Dollar"})]}, "variants.0.price.currency"),
        ({"variants": [variant(price={"amount": 1})]}, "variants.0.price.currency"),
        ({"variants": [variant(options={"size": 7})]}, "variants.0.options.size"),
        ({"variants": [variant(options=["S"])]}, "variants.0.options"),
        ({"variants": [variant(quantity=7)]}, "variants.0.quantity"),
        ({"slug": "mine"}, "slug"),
    ],
)
def test_a_bad_field_is_named_and_nothing_is_made(
    guest: Person, staff: Staff, changes: dict[str, Any], field: str
) -> None:
    body = product() | changes
    staff.post("/products", body).refused(400, "invalid", *field.split())
    if isinstance(body["name"], str) and body["name"].startswith("Thing"):
        assert guest.get(f"/products?q={body['name'].split()[1]}").ok()["results"] == []


@pytest.mark.parametrize("field", ["name", "variants"])
def test_a_missing_field_is_named(staff: Staff, field: str) -> None:
    body = {name: value for name, value in product().items() if name != field}
    staff.post("/products", body).refused(400, "invalid", field)


def test_a_sku_is_sold_by_one_product_only(guest: Person, staff: Staff) -> None:
    taken = variant()
    staff.post("/products", product(variants=[taken])).ok(201)
    answer = staff.post("/products", product(variants=[taken]))
    assert answer.status in (400, 409), answer
    assert len(guest.get(f"/products?sku={taken['sku']}").ok()["results"]) == 1
    twice = variant()
    answer = staff.post("/products", product(variants=[twice, twice]))
    assert answer.status in (400, 409), answer
    assert guest.get(f"/products?sku={twice['sku']}").ok()["results"] == []


def test_only_staff_write(guest: Person, customer: Person, staff: Staff) -> None:
    made = staff.post("/products", product()).ok(201)
    path = f"/products/{made['slug']}"
    for person, status, code in ((guest, 401, "not_authenticated"), (customer, 403, "permission_denied")):
        person.post("/products", product()).refused(status, code)
        person.post("/products/categories", {"name": "X"}).refused(status, code)
        person.patch(path, {"name": "Mine"}).refused(status, code)
        person.delete(path).refused(status, code)
        person.post(f"{path}/images", fields={"image": ("a.png", b"x", "image/png")}).refused(status, code)
    assert guest.get(path).ok() == made


def test_a_change_changes_what_is_given(guest: Person, staff: Staff) -> None:
    made = staff.post("/products", product(brand="Old", description="Old.")).ok(201)
    path = f"/products/{made['slug']}"
    changed = staff.patch(path, {"description": "New."}).ok()
    assert set(changed) == PAGE
    assert changed == made | {"description": "New.", "updated": changed["updated"]}
    assert changed["updated"] > made["updated"]
    staff.patch(path, {"slug": "other"}).refused(400, "invalid", "slug")
    staff.patch(path, {"name": 7}).refused(400, "invalid", "name")
    staff.patch("/products/no-such-thing", {"name": "X"}).refused(404, "product_not_found")
    assert staff.get(path).ok() == changed


def test_drafts_and_archived_goods_are_404_to_the_public(guest: Person, customer: Person, staff: Staff) -> None:
    draft = staff.post("/products", product(status="draft")).ok(201)
    active = staff.post("/products", product()).ok(201)
    for _ in range(2):
        staff.delete(f"/products/{active['slug']}").ok(204)
    for made, status in ((draft, "draft"), (active, "archived")):
        path = f"/products/{made['slug']}"
        guest.get(path).refused(404, "product_not_found")
        customer.get(path).refused(404, "product_not_found")
        assert staff.get(path).ok()["status"] == status
        assert guest.get(f"/products?sku={made['variants'][0]['sku']}").ok()["results"] == []
    guest.get("/products/no-such-thing").refused(404, "product_not_found")


def test_categories_are_a_tree_with_counts(guest: Person, staff: Staff) -> None:
    mark = uuid4().hex[:8]
    root = staff.post("/products/categories", {"name": f"Root {mark}"}).ok(201)
    leaf = staff.post("/products/categories", {"name": f"Leaf {mark}", "parent": root["slug"]}).ok(201)
    staff.post("/products", product(name=f"In the leaf {mark}", category=leaf["slug"])).ok(201)
    tree = staff.get("/products/categories").ok()
    assert (set(tree), tree["next"], tree["previous"]) == ({"results", "next", "previous"}, None, None)
    [node] = [node for node in tree["results"] if node["slug"] == root["slug"]]
    assert set(node) == {"slug", "name", "count", "children"}
    assert (node["count"], [child["count"] for child in node["children"]]) == (1, [1])
    for slug in (root["slug"], leaf["slug"]):
        assert names(guest, f"/products?category={slug}") == [f"In the leaf {mark}"]
    [card] = guest.get(f"/products?category={leaf['slug']}").ok()["results"]
    assert card["category"] == {"slug": leaf["slug"], "name": f"Leaf {mark}", "path": [f"Root {mark}", f"Leaf {mark}"]}
    staff.post("/products/categories", {"name": "X", "parent": "no-such"}).refused(400, "invalid", "parent")
    staff.post("/products/categories", {"name": 7}).refused(400, "invalid", "name")
    staff.post("/products/categories", {}).refused(400, "invalid", "name")


def test_facets_count_within_the_filters(guest: Person, staff: Staff) -> None:
    brand = f"Brand {uuid4().hex[:8]}"
    for amount in (100, 200, 5000):
        body = product(brand=brand, variants=[variant(price={"amount": amount, "currency": USD})])
        staff.post("/products", body).ok(201)
    facets = staff.get(f"/products/facets?brand={brand}").ok()
    assert set(facets) == {"count", "exact", "brands", "categories", "prices"}
    assert (facets["count"], facets["exact"]) == (3, True)
    assert facets["brands"] == [{"brand": brand, "count": 3}]
    assert sum(band["count"] for band in facets["prices"]) == 3
    assert all(set(band) == {"min", "max", "count"} for band in facets["prices"])
    assert staff.get(f"/products/facets?brand={brand}&max_price=200").ok()["count"] == 2


def test_prices_are_inclusive_and_the_cheapest_variant_counts(guest: Person, staff: Staff) -> None:
    brand = f"Brand{uuid4().hex[:8]}"
    for name, amounts in (("A", [100, 900]), ("B", [200]), ("C", [300])):
        variants = [variant(price={"amount": a, "currency": USD}, options={"n": str(a)}) for a in amounts]
        staff.post("/products", product(name=name, brand=brand, variants=variants)).ok(201)
    assert names(guest, f"/products?brand={brand}&min_price=100&max_price=200") == ["A", "B"]
    assert names(guest, f"/products?brand={brand}&min_price=101") == ["B", "C"]
    assert names(guest, f"/products?brand={brand}&ordering=price") == ["A", "B", "C"]
    assert names(guest, f"/products?brand={brand}&ordering=-price&limit=1") == ["C", "B", "A"]
    assert names(guest, f"/products?brand={brand}&ordering=-created&limit=2") == ["C", "B", "A"]
    assert names(guest, f"/products?brand={brand}&ordering=created") == ["A", "B", "C"]
    assert names(guest, f"/products?brand={brand}&min_price=901") == []


@pytest.mark.parametrize("ordering", ["relevance", "name", "price", "-price", "created", "-created"])
def test_pages_go_both_ways_without_a_gap_or_a_double(guest: Person, ordering: str) -> None:
    path = f"/products?q=milk&ordering={ordering}&limit=7"
    page = guest.get(path).ok()
    pages = [page]
    while page["next"] and len(pages) < 5:
        page = guest.send("GET", page["next"]).ok()
        pages.append(page)
    slugs = [row["slug"] for page in pages for row in page["results"]]
    assert len(slugs) == len(set(slugs)) >= 15
    back = [pages[-1]]
    while back[-1]["previous"]:
        back.append(guest.send("GET", back[-1]["previous"]).ok())
    assert [page["results"] for page in reversed(back)] == [page["results"] for page in pages]
    if ordering.endswith("price"):
        cheapest = [min(v["price"]["amount"] for v in row["variants"]) for page in pages for row in page["results"]]
        assert cheapest == sorted(cheapest, reverse=ordering.startswith("-"))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("ordering=cheap", "ordering"),
        ("min_price=x", "min_price"),
        ("min_price=-1", "min_price"),
        ("max_price=1.5", "max_price"),
        (f"max_price={10**12}", "max_price"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("cursor=x", "cursor"),
        ("q=%00", "q"),
        ("brand=%00", "brand"),
        ("category=%00", "category"),
        ("sku=a%20b", "sku.0"),
        ("q=" + "x" * 1000, "q"),
    ],
)
def test_a_bad_query_is_400(guest: Person, query: str, field: str) -> None:
    guest.get(f"/products?{query}").refused(400, "invalid", field)


@pytest.mark.parametrize("q", ["%27", "%25", "%5C", "%26%7C%21", "%28%28", "a%3A%2A", "%EF%BF%BF", "%F0%9F%8D%8C", ""])
def test_any_text_may_be_searched_for(guest: Person, q: str) -> None:
    guest.get(f"/products?q={q}").ok()
    guest.get(f"/products/facets?q={q}").ok()


def test_text_that_is_not_utf_8_is_no_server_error(guest: Person) -> None:
    assert guest.get("/products?q=%ff%fe").status in (200, 400)


def test_a_cursor_of_another_ordering_is_400_or_a_page(guest: Person) -> None:
    link = guest.get("/products?ordering=price&limit=1").ok()["next"]
    for ordering in ("name", "created", "relevance"):
        answer = guest.send("GET", link.replace("ordering=price", f"ordering={ordering}"))
        assert answer.status in (200, 400), answer
