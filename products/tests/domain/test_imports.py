"""The import as a shopkeeper sees it: what goes in, what stays, what is said."""

import pytest
from django.core.management import CommandError, call_command

from products.domain import imports, products, upsert
from products.models import Category, ImportRun, Product, Variant

pytestmark = pytest.mark.django_db


@pytest.fixture
def load(tmp_path, stock, capsys):
    """``load("id,title,price", "A,Shirt,1", …)``: runs the command; what it said, and the lines on standard error."""

    def run(*lines, **options):
        path = tmp_path / "feed.csv"
        path.write_text("\n".join(lines) + "\n")
        call_command("import_products", str(path), **options)
        said = capsys.readouterr()
        return said.out.strip(), said.err.strip().splitlines()

    return run


def shape():
    """Names, brands, SKUs, options and prices of all products."""
    return [
        (p.name, p.brand, [(v.sku, v.options, v.price, v.currency) for v in p.variants.all()])
        for p in Product.objects.order_by("id")
    ]


GROUPED = (
    "id,title,price,quantity,product_type,brand,item_group_id,color,size",
    "R,Shirt,19.90 USD,5,Clothes > Shirts,Acme,G,red,L",
    "X,Ball,5.00 USD,0,Toys,,,,",
    "B,Shirt blue,18.00 USD,7,Clothes > Other,Nobody,G,blue,L",
    "Y,Ball,6.00 USD,1,Toys,,,,",
)


def test_groups_become_products_with_variants_and_types_become_categories(load, stock, api):
    said, errors = load(*GROUPED)
    assert said == ("feed.csv: 4 rows in, 0 refused; 3 products and 4 variants made, 0 changed, 3 quantities received.")
    assert errors == []
    assert shape() == [
        (
            "Shirt",
            "Acme",
            [("R", {"color": "red", "size": "L"}, 1990, "USD"), ("B", {"color": "blue", "size": "L"}, 1800, "USD")],
        ),
        ("Ball", "", [("X", {}, 500, "USD")]),
        ("Ball", "", [("Y", {}, 600, "USD")]),
    ]
    assert stock.on_hand == {"R": 5, "B": 7, "Y": 1}
    shown = api.get("/api/v1/products/shirt").json()
    assert shown["category"] == {"slug": "shirts", "name": "Shirts", "path": ["Clothes", "Shirts"]}
    assert sorted(Product.objects.values_list("slug", flat=True)) == ["ball", "ball-2", "shirt"]
    found = api.get("/api/v1/products?category=clothes&q=acme&max_price=1800").json()["results"]
    assert [hit["slug"] for hit in found] == ["shirt"]


def test_the_same_file_again_changes_nothing(load, stock):
    load(*GROUPED)
    before = list(Product.objects.order_by("id").values()), list(Variant.objects.order_by("id").values())
    said, _ = load(*GROUPED)
    assert "0 products and 0 variants made, 0 changed, 0 quantities received" in said
    assert (list(Product.objects.order_by("id").values()), list(Variant.objects.order_by("id").values())) == before
    assert stock.on_hand == {"R": 5, "B": 7, "Y": 1}


def test_once_does_nothing_after_it_was_done(load, stock):
    load(*GROUPED, once=True)
    calls = len(stock.calls)
    Variant.objects.filter(sku="X").update(price=1)
    assert load(*GROUPED, once=True)[0] == "feed.csv was imported before: nothing to do."
    assert len(stock.calls) == calls
    assert Variant.objects.get(sku="X").price == 1
    assert "4 rows in" in load(*GROUPED[:-1], "Z,New,1 USD,2,,,,,", once=True)[0]


def test_a_new_delivery_is_received_and_new_prices_count(load, stock, api):
    load("id,title,price,quantity", "A,Ball,5 USD,10")
    said, _ = load("id,title,price,quantity", "A,Ball,4 USD,3")
    assert "0 products and 0 variants made, 1 changed, 1 quantities received" in said
    assert stock.on_hand == {"A": 13}
    assert [hit["slug"] for hit in api.get("/api/v1/products?max_price=400").json()["results"]] == ["ball"]


def test_an_edit_by_staff_outlives_imports_until_the_feed_says_something_else(load):
    columns = "id,title,price,brand,product_type,description"
    load(columns, "A,Ball,5 USD,Acme,Toys,Round")
    products.change(slug="ball", fields={"name": "Big ball", "description": "Very round", "status": "draft"})
    load(columns, "A,Ball,6 USD,Acme,Toys,Round")
    product = Product.objects.get()
    assert (product.name, product.description, product.min_price) == ("Big ball", "Very round", 600)
    load(columns, "A,Ball,6 USD,Zed,Sport,Perfectly round")
    product = Product.objects.get()
    assert (product.name, product.brand, product.category.name) == ("Big ball", "Zed", "Sport")
    assert (product.description, product.status, product.slug) == ("Perfectly round", "draft", "ball")


def test_products_that_staff_made_keep_all_but_price(load, sell):
    sell("Mine", variants={"A": ({"color": "red"}, 100)}, brand="Own")
    load("id,title,price,brand", "A,Theirs,9 USD,Other")
    assert shape() == [("Mine", "Own", [("A", {"color": "red"}, 900, "USD")])]


def test_a_variant_joins_its_group_later_and_makes_it_cheaper(load, monkeypatch):
    monkeypatch.setattr(imports, "BATCH", 2)
    load(*GROUPED)
    assert [(name, len(variants)) for name, _, variants in shape()] == [("Shirt", 2), ("Ball", 1), ("Ball", 1)]
    load(GROUPED[0], "S,Other title,1.00 USD,1,,,G,green,S")
    shirt = Product.objects.get(slug="shirt")
    assert (shirt.name, shirt.min_price, shirt.variants.count()) == ("Shirt", 100, 3)


def test_refused_rows_are_reported_and_the_others_go_in(load, stock):
    said, errors = load(
        "id,title,price,quantity", "A,T,1 USD,1", "A,T,2 USD,1", "b c,T,1 USD,1", "C,T,x,1", "D,T,1 USD,1"
    )
    assert said.startswith("feed.csv: 2 rows in, 3 refused;")
    assert errors == [
        "line 3: id 'A' stands on an earlier line already",
        "line 4: id 'b c' is no SKU: 1 to 64 letters, digits, dots, dashes or underscores, no reserved word",
        "line 5: price 'x' is not like '1.01 USD'",
    ]
    assert list(Variant.objects.order_by("sku").values_list("sku", "price")) == [("A", 100), ("D", 100)]
    assert stock.on_hand == {"A": 1, "D": 1}


def test_where_nothing_can_be_used_the_command_fails(load, stock, tmp_path):
    with pytest.raises(CommandError, match="No row could be used"):
        load("id,title,price", "a b,T,1")
    with pytest.raises(CommandError, match=r"no column price.*\nNothing was imported"):
        load("id,title", "A,B")
    with pytest.raises(CommandError, match="There is no file"):
        call_command("import_products", str(tmp_path / "none.csv"))
    assert not Product.objects.exists()
    assert stock.calls == []


def test_when_stock_is_down_it_says_so_and_a_second_run_completes_it(load, stock, monkeypatch):
    monkeypatch.setattr(imports, "BATCH", 2)
    lines = ["id,title,price,quantity", *(f"S{n},T{n},1 USD,{n + 1}" for n in range(7))]
    stock.failing_after = 1
    with pytest.raises(CommandError, match=r"stock service does not answer.*\n.*same command again"):
        load(*lines)
    assert Product.objects.count() == 4
    assert stock.on_hand == {"S0": 1, "S1": 2}
    assert ImportRun.objects.get().completed is None
    stock.failing_after, calls = None, len(stock.calls)
    said, _ = load(*lines, once=True)
    assert "7 rows in, 0 refused; 3 products and 3 variants made, 0 changed, 5 quantities received" in said
    assert stock.on_hand == {f"S{n}": n + 1 for n in range(7)}
    assert len(stock.calls) == calls + 3


def test_ctrl_c_stops_between_batches_and_the_same_command_goes_on(load, stock, monkeypatch):
    monkeypatch.setattr(imports, "BATCH", 2)
    lines = ["id,title,price,quantity", *(f"S{n},T{n},1 USD,1" for n in range(6))]
    real, runs = upsert.upsert, []

    def interrupted(rows, cache):
        runs.append(len(rows))
        if len(runs) == 2:
            raise KeyboardInterrupt
        return real(rows, cache)

    monkeypatch.setattr(imports, "upsert", interrupted)
    with pytest.raises(SystemExit) as stopped:
        load(*lines)
    assert stopped.value.code == 130
    assert Product.objects.count() == 2
    said, _ = load(*lines)
    assert "6 rows in, 0 refused; 4 products" in said
    assert len(runs) == 4
    assert stock.on_hand == {f"S{n}": 1 for n in range(6)}


@pytest.mark.parametrize("rows", [1, 3])
def test_a_batch_is_a_fixed_number_of_statements(load, rows, django_assert_num_queries, tmp_path, stock):
    path = tmp_path / "feed.csv"
    path.write_text("id,title,price,product_type\n" + "".join(f"S{n},T{n},1 USD,\n" for n in range(rows)))
    with django_assert_num_queries(29):
        imports.run(path=path, refused=lambda row: None)


def test_what_is_exported_can_be_imported_without_a_change(load, stock, tmp_path):
    from products.domain import export

    load(*GROUPED)
    products.change(slug="shirt", fields={"name": "Blouse, red"})
    Product.objects.filter(slug="ball").update(images=["aa/b.webp"])
    before = shape()
    content = "".join(export.lines(list(Product.objects.values_list("pk", flat=True))))
    (tmp_path / "out.csv").write_text(content)
    call_command("import_products", str(tmp_path / "out.csv"))
    assert shape() == before
    assert Product.objects.get(slug="ball").images == ["aa/b.webp"]
    assert Category.objects.count() == 4
