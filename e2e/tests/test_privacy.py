"""A customer's rights to their data, through the gateway and in every service: a copy, and erasure."""

import io
import json
import zipfile
from typing import Any

from support.people import ADDRESS, PASSWORD, Person, Staff
from support.wait import until

GONE = {"name": "", "line1": "", "line2": "", "city": "", "postal_code": ""}


def copy(customer: Person) -> dict[str, Any]:
    """What the archive holds, by file."""
    answer = customer.get("/customers/me/export")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        return {name: json.loads(archive.read(name)) for name in archive.namelist() if name.endswith(".json")}


def test_a_copy_holds_what_all_services_know(customer: Person, staff: Staff, somebody_else: Person) -> None:
    sku = staff.goods(price=250, quantity=9)
    order = customer.settled(customer.bought({sku: 2}))
    cart = customer.cart_with({sku: 1})
    customer.post("/customers/me/addresses", ADDRESS).ok(201)
    held = copy(customer)
    assert held["account.json"]["email"] == customer.email
    assert [row["city"] for row in held["addresses.json"]] == [ADDRESS["city"]]
    [copied] = held["orders.json"]
    assert {name: copied[name] for name in order} == order
    assert copied["events"][-1]["event"] == "completed"
    assert [line["sku"] for row in held["carts.json"] if row["id"] == cart for line in row["lines"]] == [sku]
    assert order["id"] not in [row["id"] for row in copy(somebody_else)["orders.json"]]


def test_who_leaves_is_forgotten_everywhere_when_nothing_is_to_be_sent_any_more(customer: Person, staff: Staff) -> None:
    sku = staff.goods(price=250, quantity=9)
    order = customer.settled(customer.bought({sku: 2}))
    cart = customer.cart_with({sku: 1})
    for _ in range(2):
        assert customer.delete("/customers/me").status == 204
    path = f"/orders/{order['id']}"
    assert staff.get(path).ok()["shipping_address"]["line1"] == ADDRESS["line1"], "it is still to be sent"
    staff.post(f"{path}/ship").ok()
    until(lambda: staff.get(path).ok()["shipping_address"], ({**GONE, "country": "GB"}).__eq__, 90)
    kept = staff.get(path).ok()
    assert (kept["lines"], kept["total"], kept["created"]) == (order["lines"], order["total"], order["created"])
    assert kept["email"] == "erased@closed.invalid"
    assert staff.get(f"/orders?q={customer.email}").ok()["results"] == []
    until(lambda: customer.get(f"/carts/{cart}").status, (404).__eq__)
    Person(customer.url).post("/customers/token", {"email": customer.email, "password": PASSWORD}).refused(
        401, "invalid_credentials"
    )
