import pytest

pytestmark = pytest.mark.django_db
PRODUCTS = "/api/v1/products"


def names(api, query):
    answer = api.get(f"{PRODUCTS}{query}")
    assert answer.status_code == 200, answer.content
    return [product["name"] for product in answer.json()["results"]]


def test_a_result_has_the_shape_of_the_contract(api, sell, shelves):
    sell(
        "Shirt",
        brand="Acme",
        category=shelves["Fruit"],
        variants={"SH-R": ({"color": "red"}, 1990), "SH-B": ({"color": "blue"}, 1890)},
    )
    answer = api.get(PRODUCTS)
    assert answer.json() == {
        "results": [
            {
                "slug": "shirt",
                "name": "Shirt",
                "brand": "Acme",
                "category": {"slug": "fruit", "name": "Fruit", "path": ["Food", "Fruit"]},
                "image": None,
                "variants": [
                    {"sku": "SH-R", "options": {"color": "red"}, "price": {"amount": 1990, "currency": "USD"}},
                    {"sku": "SH-B", "options": {"color": "blue"}, "price": {"amount": 1890, "currency": "USD"}},
                ],
            }
        ],
        "next": None,
        "previous": None,
    }
    assert answer["Cache-Control"] == "max-age=1, stale-while-revalidate=1"


@pytest.mark.parametrize(
    "typed", ["bananna", "banana", "BANANAS", "banan", "bánana", "tropical banana", "acme banana", "S1"]
)
def test_search_finds_bananas(api, sell, shelves, typed):
    sell("Bananas, 40 LB", brand="Acme", category=shelves["Tropical"])
    sell("Fluid Milk")
    assert names(api, f"?q={typed}") == ["Bananas, 40 LB"]
