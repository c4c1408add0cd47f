"""Counts by brand, category and price, and the tree of categories."""

import pytest
from django.db import connection

from products.domain import facets
from tests.conftest import listed

pytestmark = pytest.mark.django_db


def test_facets_count_within_the_filters(api, sell, shelves):
    sell("Banana", brand="Acme", category=shelves["Tropical"], price=99)
    sell("Apple", brand="Acme", category=shelves["Fruit"], price=100)
    sell("Ball", brand="Zed", category=shelves["Toys"], price=150_000)
    assert listed(api, "/facets") == {
        "count": 3,
        "exact": True,
        "brands": [{"brand": "Acme", "count": 2}, {"brand": "Zed", "count": 1}],
        "categories": [
            {"slug": "food", "name": "Food", "count": 2},
            {"slug": "fruit", "name": "Fruit", "count": 2},
            {"slug": "toys", "name": "Toys", "count": 1},
            {"slug": "tropical", "name": "Tropical", "count": 1},
        ],
        "prices": [
            {"min": 0, "max": 99, "count": 1},
            {"min": 100, "max": 199, "count": 1},
            {"min": 100_000, "max": 199_999, "count": 1},
        ],
    }
    assert listed(api, "/facets?category=food&max_price=99&q=banana")["brands"] == [{"brand": "Acme", "count": 1}]
    empty = {"count": 0, "exact": True, "brands": [], "categories": [], "prices": []}
    assert listed(api, "/facets?brand=nope") == empty


@pytest.fixture
def very_many(shelves):
    """24,000 products: of two brands alternately, the first 1,000 of a third."""
    sql = """
        INSERT INTO products_product (slug, name, brand, description, attributes, images, min_price, lineage, words)
        SELECT 's-' || n, 'Shirt ' || n, 'Brand ' || CASE WHEN n <= 1000 THEN 3 ELSE n %% 2 END, '', '{}', '{}',
            100 + 900 * (n %% 3), ARRAY['food', 'fruit'], to_tsvector('goods', 'Shirt ' || n)
        FROM generate_series(1, 24000) n
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, [])
        cursor.execute("ANALYZE products_product")


def test_facets_of_very_many_are_estimated_from_a_sample(api, very_many, monkeypatch):
    def near(count):
        return pytest.approx(count, rel=0.4)  # one in 64 of 8,000 is 125 and its standard deviation 11

    for enough in (facets.ENOUGH, 150):  # the whole sample, and the first of it
        monkeypatch.setattr(facets, "ENOUGH", enough)
        for query, total in (("", 24000), ("?category=fruit", 24000), ("?q=shirt", 24000), ("?brand=Brand 1", 11500)):
            answer = listed(api, f"/facets{query}")
            assert answer["exact"] is False
            assert answer["count"] == near(total)
            assert [entry["count"] for entry in answer["categories"]] == [answer["count"]] * 2
            assert [entry["min"] for entry in answer["prices"]] == [100, 1000]
            assert sum(entry["count"] for entry in answer["prices"]) == pytest.approx(answer["count"], abs=1)
            assert answer["prices"][1]["count"] == near(total * 2 / 3)


@pytest.mark.parametrize(("query", "count"), [("?brand=Brand 3", 1000), ("?q=shirt&brand=Brand 3", 1000)])
def test_facets_of_few_among_very_many_are_exact(api, very_many, query, count):
    answer = listed(api, f"/facets{query}")
    assert answer["exact"] is True
    assert (answer["count"], answer["brands"]) == (count, [{"brand": "Brand 3", "count": count}])


@pytest.mark.parametrize("rows", [1, 3])
def test_facets_and_the_tree_are_one_query_each(api, sell, shelves, rows, django_assert_num_queries):
    for n in range(rows):
        sell(f"Shirt {n}", category=shelves["Fruit"])
    with django_assert_num_queries(1):
        listed(api, "/facets")
    with django_assert_num_queries(1):
        listed(api, "/categories")


def test_the_tree_counts_what_is_below(api, sell, shelves):
    sell("Banana", category=shelves["Tropical"])
    sell("Apple", category=shelves["Fruit"])
    sell("Draft", category=shelves["Fruit"], status="draft")
    tropical = {"slug": "tropical", "name": "Tropical", "count": 1, "children": []}
    fruit = {"slug": "fruit", "name": "Fruit", "count": 2, "children": [tropical]}
    assert listed(api, "/categories")["results"] == [
        {"slug": "food", "name": "Food", "count": 2, "children": [fruit]},
        {"slug": "toys", "name": "Toys", "count": 0, "children": []},
    ]
