"""Every public read can be answered by an index, whatever narrows it."""

import pytest
from chassis.testing.plans import without_scans
from django.db import connection

pytestmark = pytest.mark.django_db
PRODUCTS = "/api/v1/products"
SMALL = ("products_category",)


@pytest.fixture
def goods(sell, shelves):
    sell("Green bananas", brand="Maker 1", category=shelves["Tropical"], variants={"B1": ({}, 100), "B2": ({}, 120)})
    return sell("Wooden train", brand="Maker 2", category=shelves["Toys"], variants={"T1": ({}, 1900)})


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?ordering=price",
        "?ordering=-created",
        "?q=bananas",
        "?q=gre",
        "?q=bananna",
        "?category={category}",
        "?brand=Maker+2",
        "?min_price=50&max_price=500",
        "?sku=B1&sku=T1",
        "?q=green+bananas&brand=Maker+1&max_price=500",
    ],
)
def test_lists(api, goods, shelves, query):
    query = query.format(category=shelves["Toys"])
    with without_scans(small=SMALL):
        assert api.get(f"{PRODUCTS}{query}").json()["results"]
    with without_scans(small=SMALL):
        assert api.get(f"{PRODUCTS}/facets{query.partition('ordering')[0].rstrip('?&')}").json()["count"] > 0


def test_the_next_page(api, goods):
    page = api.get(f"{PRODUCTS}?limit=1").json()["next"]
    with without_scans(small=SMALL):
        assert len(api.get(f"{PRODUCTS}?{page.partition('?')[2]}").json()["results"]) == 1


def test_one_product_and_goods_by_sku(api, goods, as_service):
    with without_scans(small=SMALL):
        assert api.get(f"{PRODUCTS}/{goods.slug}").status_code == 200
    with without_scans():
        answer = api.post("/internal/variants", {"skus": ["B1", "T1", "none"]}, as_service("cart"))
    assert len(answer.json()["variants"]) == 2


def test_no_search_reads_more_than_a_few_pages_of_what_waits_to_go_into_an_index(goods, waiting):
    with connection.cursor() as cursor:
        for _ in range(1_000):
            cursor.execute("UPDATE products_product SET min_price = min_price + 1")
    pages = waiting()
    assert len(pages) == 6
    assert max(pages.values()) <= 10, pages


def test_a_plan_that_no_index_serves_is_seen(db):
    from products.models import Product

    with pytest.raises(AssertionError, match="products_product is read from end to end by SELECT"), without_scans():
        list(Product.objects.filter(description="x").order_by().values_list("pk"))
