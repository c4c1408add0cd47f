"""Who may see and do what in the admin."""

import pytest

from products.models import Category, Product

pytestmark = pytest.mark.django_db
LIST = "/admin/products/products/product/"


def act(desk, action, product):
    return desk.post(LIST, {"action": action, "_selected_action": [product.pk]})


@pytest.mark.parametrize("role", ["owner", "catalogue", "warehouse", "orders", "support"])
def test_everybody_of_the_shop_sees_products_and_exports_them(at_desk, sell, role):
    product = sell("Bananas")
    desk = at_desk(role)
    assert desk.get(LIST).status_code == 200
    assert desk.get(f"{LIST}{product.pk}/change/").status_code == 200
    assert b"Bananas" in b"".join(act(desk, "export", product).streaming_content)


@pytest.mark.parametrize("role", ["owner", "catalogue"])
def test_who_keeps_the_catalogue_changes_it(at_desk, sell, role):
    product = sell("Bananas")
    desk = at_desk(role)
    act(desk, "archive", product)
    product.refresh_from_db()
    assert product.status == "archived"
    assert desk.post("/admin/products/products/category/add/", {"name": "Fruit", "parent": ""}).status_code == 302
    assert Category.objects.get().name == "Fruit"


@pytest.mark.parametrize("role", ["warehouse", "orders", "support"])
def test_nobody_else_does(at_desk, sell, role):
    product = sell("Bananas")
    desk = at_desk(role)
    for action in ("archive", "publish"):
        act(desk, action, product)
    for path in (f"{LIST}add/", f"{LIST}{product.pk}/change/", "/admin/products/products/category/add/"):
        assert desk.post(path, {"name": "Other"}).status_code == 403, path
    assert list(Product.objects.values_list("name", "status")) == [("Bananas", "active")]
    assert not Category.objects.exists()
