"""Real threads on a real PostgreSQL: no slug twice, no import twice, no edit lost."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from products.domain import categories, imports, products
from products.models import Category, GivenSlug, Product, Variant

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(calls, workers=8):
    """Runs the calls on threads of their own, each with a database connection, and returns what came of each."""

    def run(call):
        try:
            return call()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(run, calls))


def make(sku, name="Shirt"):
    return products.create(name=name, variants=[{"sku": sku, "options": {}, "price": 5, "currency": "USD"}])


def test_products_of_one_name_made_at_once_get_different_slugs():
    outcomes = at_once([lambda n=n: make(f"S{n}", ("Shirt", "Shirt 2")[n % 2]) for n in range(40)])
    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    assert Product.objects.values("slug").distinct().count() == 40
    assert set(Product.objects.values_list("slug", flat=True)) == set(GivenSlug.objects.values_list("slug", flat=True))


def test_one_sku_made_from_eight_sides_is_made_once():
    outcomes = at_once([lambda: make("ONE")] * 8)
    assert sum(isinstance(outcome, products.SkuTaken) for outcome in outcomes) == 7
    assert (Product.objects.count(), Variant.objects.count()) == (1, 1)


def test_of_two_edits_with_the_same_etag_one_wins():
    tag = make("A").etag
    for _ in range(10):
        outcomes = at_once(
            [
                lambda n=n, tag=tag: products.change(slug="shirt", fields={"name": f"N{n}"}, if_match=[tag])
                for n in range(4)
            ]
        )
        winners = [outcome for outcome in outcomes if isinstance(outcome, products.Page)]
        assert len(winners) == 1, outcomes
        assert sum(isinstance(outcome, products.Changed) for outcome in outcomes) == 3
        tag = winners[0].etag


def test_variants_changed_from_all_sides_leave_the_cheapest_price_right():
    make("A")
    change = lambda n: products.change(  # noqa: E731
        slug="shirt", fields={}, variants=[{"sku": f"V{n}", "options": {}, "price": 100 - n, "currency": "USD"}]
    )
    at_once([lambda n=n: change(n) for n in range(30)])
    at_once([lambda n=n: products.change(slug="shirt", fields={}, remove=[f"V{n}"]) for n in range(20, 30)])
    products.change(slug="shirt", fields={}, remove=["A"])
    assert Product.objects.get().min_price == 100 - 19 == min(Variant.objects.values_list("price", flat=True))


def test_categories_of_one_name_made_at_once_are_one():
    outcomes = at_once([lambda: categories.create(name="Food", parent=None)] * 8)
    assert sum(isinstance(outcome, categories.CategoryExists) for outcome in outcomes) == 7
    assert Category.objects.count() == 1


@pytest.mark.parametrize("files", [1, 2])
def test_imports_at_once_are_as_imports_one_after_the_other(tmp_path, stock, files, monkeypatch):
    monkeypatch.setattr(imports, "BATCH", 20)
    paths = []
    for number in range(files):
        path = tmp_path / f"feed{number}.csv"
        rows = [f"S{n},Shirt,{n + 1}.00 USD,5,A > B{n % 3},G{n % 10}" for n in range(100)]
        path.write_text("\n".join(["id,title,price,quantity,product_type,item_group_id", *rows, ""]) + "\n" * number)
        paths.append(path)
    runs = [lambda path=path: imports.run(path=path, refused=lambda row: None) for path in (paths * 4)[:4]]
    outcomes = at_once(runs, workers=4)
    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    assert sum(outcome.counts.variants for outcome in outcomes) == 100
    assert (Product.objects.count(), Variant.objects.count(), Category.objects.count()) == (10, 100, 4)
    assert stock.on_hand == {f"S{n}": 5 * files for n in range(100)}


def test_staff_who_edit_during_an_import_lose_nothing(tmp_path, stock, monkeypatch):
    monkeypatch.setattr(imports, "BATCH", 10)
    path = tmp_path / "feed.csv"

    def feed(price):
        rows = [f"S{n},Shirt {n},{price}.00 USD" for n in range(100)]
        path.write_text("\n".join(["id,title,price", *rows]))
        return imports.run(path=path, refused=lambda row: None)

    feed(1)
    slugs = list(Product.objects.order_by("id").values_list("slug", flat=True))
    edit = lambda slug: products.change(slug=slug, fields={"brand": "Staff"})  # noqa: E731
    outcomes = at_once([lambda: feed(2), *(lambda slug=slug: edit(slug) for slug in slugs[::-1])], workers=4)
    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    assert set(Product.objects.values_list("brand", "min_price")) == {("Staff", 200)}
