"""The shopkeeper: goods in, pictures, orders out, money back."""

import csv
import io
import json
from pathlib import Path
from uuid import uuid4

import pytest
from local.shop import Shop
from PIL import Image

from support.people import Person, Staff


def picture(width: int = 300, height: int = 200, colour: str = "orange") -> bytes:
    """A JPEG."""
    file = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(file, "JPEG")
    return file.getvalue()


def test_goods_come_in_are_corrected_and_the_ledger_says_so(staff: Staff, guest: Person) -> None:
    sku = staff.goods(price=100, quantity=0)
    guest.get(f"/stock/{sku}").refused(404, "sku_not_found")
    staff.receive(sku, 40)
    staff.receive(sku, -3, kind="adjustment")
    assert guest.available(sku) == 37
    below = {"sku": sku, "kind": "adjustment", "quantity": -38, "reason": "counted"}
    staff.post("/stock/movements", below).refused(409, "below_reserved")
    assert guest.available(sku) == 37
    staff.bought({sku: 7})
    entries = staff.get(f"/stock/{sku}/movements").ok()["results"]
    assert sum(entry["quantity"] for entry in entries) == 30
    assert [(entry["kind"], entry["quantity"]) for entry in entries[-2:]] == [("adjustment", -3), ("receipt", 40)]


def test_from_confirmed_to_delivered_and_refunded(staff: Staff, customer: Person) -> None:
    sku = staff.goods(price=100, quantity=5)
    order = customer.settled(customer.bought({sku: 2}))
    path = f"/orders/{order['id']}"
    for step in ("ship", "deliver", "refund"):
        refused = customer.post(f"{path}/{step}")
        assert (refused.status, refused.code) == (403, "permission_denied")
    staff.post(f"{path}/deliver").refused(409, "invalid_transition")
    assert staff.post(f"{path}/ship").ok()["status"] == "shipped"
    customer.post(f"{path}/cancel").refused(409, "invalid_transition")
    assert staff.post(f"{path}/deliver").ok()["status"] == "delivered"
    staff.post(f"{path}/refund").ok()
    refunded = staff.settled(order)
    assert (refunded["status"], refunded["payment"]["status"]) == ("refunded", "refunded")
    assert customer.available(sku) == 3  # a refund after shipping moves money only
    staff.post(f"{path}/ship").refused(409, "invalid_transition")
    told = [event["event"] for event in customer.get(f"{path}/events").ok()["results"]]
    assert [event for event in told if event in ("shipped", "delivered", "refunded")] == [
        "shipped",
        "delivered",
        "refunded",
    ]


def test_staff_find_everyone_s_orders(staff: Staff, customer: Person) -> None:
    order = customer.bought({staff.goods(price=100, quantity=5): 1})
    for q in (order["number"], order["id"], customer.email):
        assert [row["id"] for row in staff.get(f"/orders?q={q}").ok()["results"]] == [order["id"]]
    assert staff.get(f"/orders?q={customer.email}&status=shipped").ok()["results"] == []
    assert staff.get(f"/orders/{order['id']}").ok()["email"] == customer.email


def test_archived_goods_are_not_sold(staff: Staff, guest: Person) -> None:
    sku = staff.goods(price=100, quantity=5)
    [product] = guest.get(f"/products?sku={sku}").ok()["results"]
    cart = guest.cart_with({sku: 1})
    staff.delete(f"/products/{product['slug']}").ok(204)
    guest.checkout(cart).refused(409, "product_unavailable")
    assert guest.available(sku) == 5
    other = guest.post("/carts").ok(201)["id"]
    guest.put(f"/carts/{other}/lines/{sku}", {"quantity": 1}).refused(404, "product_not_found")


def test_a_picture_is_served_by_the_gateway_and_known_to_both_instances(staff: Staff, guest: Person) -> None:
    sku = staff.goods(price=100, quantity=1)
    [product] = guest.get(f"/products?sku={sku}").ok()["results"]
    fields = {"image": ("apple.jpg", picture(), "image/jpeg")}
    page = staff.post(f"/products/{product['slug']}/images", fields=fields).ok(201)
    [url] = page["images"]
    assert "/media/" in url
    seen = guest.send("GET", url)
    assert seen.status == 200
    assert seen.headers["Content-Type"].startswith("image/")
    assert Image.open(io.BytesIO(seen.body)).size == (300, 200)
    served: dict[str, list[str]] = {}
    for attempt in range(100):
        answer = staff.get(f"/products/{product['slug']}?fresh={attempt}")
        served[answer.headers["X-Served-By"]] = answer.ok()["images"]
        if len(served) == 2:
            break
    assert served == {"products-1": [url], "products-2": [url]}


@pytest.mark.parametrize(
    ("file", "status"),
    [
        (("evil.svg", b"<svg onload='alert(1)'/>", "image/svg+xml"), 400),
        (("a.jpg", b"not a picture", "image/jpeg"), 400),
        (("a.jpg", b"", "image/jpeg"), 400),
        (("a.jpg", b"\xff" * (11 << 20), "image/jpeg"), 413),
    ],
)
def test_what_is_no_picture_is_refused(staff: Staff, guest: Person, file: tuple[str, bytes, str], status: int) -> None:
    [product] = guest.get(f"/products?sku={staff.goods(price=100, quantity=0)}").ok()["results"]
    answer = staff.post(f"/products/{product['slug']}/images", fields={"image": file})
    assert answer.status == status, answer
    assert staff.get(f"/products/{product['slug']}").ok()["images"] == []


def feed(path: Path, rows: list[dict[str, str]]) -> Path:
    """A product feed that the shop's user may read."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_a_feed_is_imported_once_however_often_it_comes(shop: Shop, guest: Person) -> None:
    mark = uuid4().hex[:8]
    row = {"title": f"Tea {mark}", "product_type": "Grocery > Tea", "price": "2.50 USD", "quantity": "12"}
    rows = [row | {"id": f"{mark}-1"}, row | {"id": f"{mark}-2", "price": "free"}]
    path = feed(shop.user.folder(shop.state.folder / "feeds") / "tea.csv", rows)
    path.chmod(0o644)
    for _ in range(2):
        shop.manage("products", "import_products", str(path))
        assert guest.get(f"/stock/{mark}-1").ok() == {"sku": f"{mark}-1", "available": 12}
        [product] = guest.get(f"/products?sku={mark}-1&sku={mark}-2").ok()["results"]
        assert json.dumps(product["variants"][0]["price"]) == '{"amount": 250, "currency": "USD"}'
