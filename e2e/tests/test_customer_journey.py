"""A customer signs up, takes a guest's cart along, orders twice, and finds both orders."""

from support.client import Client
from support.people import ADDRESS, PASSWORD, Person, Staff


def test_a_guest_signs_up_and_takes_the_cart_along(guest: Person, staff: Staff) -> None:
    apples, pears = staff.goods(price=150, quantity=20), staff.goods(price=275, quantity=20)
    cart = guest.cart_with({apples: 2, pears: 1})
    customer = Person.new_customer(guest.url)
    mine = customer.get("/carts/current").ok()
    assert mine["lines"] == []
    customer.put(f"/carts/{mine['id']}/lines/{apples}", {"quantity": 3}).ok()

    claimed = customer.post(f"/carts/{cart}/claim").ok()
    assert claimed["id"] == cart
    assert {line["sku"]: line["quantity"] for line in claimed["lines"]} == {apples: 5, pears: 1}
    assert claimed["total"]["amount"] == 5 * 150 + 275
    assert customer.post(f"/carts/{cart}/claim").ok() == claimed
    assert customer.get("/carts/current").ok() == claimed
    guest.get(f"/carts/{cart}").refused(404, "cart_not_found")
    guest.checkout(cart).refused(404, "cart_not_found")

    order = customer.checkout(cart, expected_total=claimed["total"]).ok(201)
    assert order["access_token"] is None
    assert order["total"] == claimed["total"]
    assert customer.get(f"/orders/{order['id']}").ok() == order
    assert (customer.available(apples), customer.available(pears)) == (15, 19)
    current = customer.get("/carts/current").ok()
    assert (current["id"], current["lines"]) == (cart, [])


def test_my_orders_are_mine_and_newest_first(customer: Person, somebody_else: Person, staff: Staff) -> None:
    sku = staff.goods(price=999, quantity=50)
    orders = [customer.bought({sku: n}) for n in (1, 2, 3)]
    first = customer.get("/orders?limit=2").ok()
    assert [order["id"] for order in first["results"]] == [orders[2]["id"], orders[1]["id"]]
    assert first["previous"] is None
    second = customer.send("GET", first["next"]).ok()
    assert [order["id"] for order in second["results"]] == [orders[0]["id"]]
    assert second["next"] is None
    back = customer.send("GET", second["previous"]).ok()
    assert [order["id"] for order in back["results"]] == [orders[2]["id"], orders[1]["id"]]
    theirs = {order["id"] for order in somebody_else.get("/orders?limit=100").ok()["results"]}
    assert theirs.isdisjoint(order["id"] for order in orders)
    for path in ("", "/events"):
        somebody_else.get(f"/orders/{orders[0]['id']}{path}").refused(404, "order_not_found")
    somebody_else.post(f"/orders/{orders[0]['id']}/cancel").refused(404, "order_not_found")
    assert customer.get("/orders?status=cancelled").ok()["results"] == []


def test_cancelling_puts_the_goods_back_once(customer: Person, staff: Staff) -> None:
    sku = staff.goods(price=100, quantity=7)
    order = customer.bought({sku: 5})
    assert customer.available(sku) == 2
    for _ in range(2):
        customer.post(f"/orders/{order['id']}/cancel").ok()
    assert customer.settled(order)["status"] == "refunded"
    assert customer.available(sku) == 7
    customer.post(f"/orders/{order['id']}/cancel").ok()
    assert customer.available(sku) == 7


def test_an_invoice_is_due_until_staff_mark_it_paid_and_void_when_cancelled(customer: Person, staff: Staff) -> None:
    sku = staff.goods(price=100, quantity=9)
    order, other = (customer.bought({sku: n}, payment={"method": "invoice"}) for n in (4, 5))
    assert order["payment"] == {"method": "invoice", "status": "due"}
    paid = staff.post(f"/orders/{order['id']}/mark-paid").ok()
    assert (paid["payment"]["status"], paid["status"]) == ("paid", "confirmed")
    customer.post(f"/orders/{other['id']}/cancel").ok()
    voided = customer.settled(other)
    assert voided["payment"]["status"] == "voided"
    assert voided["status"] in ("cancelled", "refunded")
    assert customer.available(sku) == 5


def test_profile_addresses_and_sessions(customer: Person) -> None:
    customer.patch("/customers/me", {"name": "Augusta"}).ok()
    assert customer.get("/customers/me").ok()["name"] == "Augusta"
    address = customer.post("/customers/me/addresses", ADDRESS).ok(201)
    assert [row["id"] for row in customer.get("/customers/me/addresses").ok()["results"]] == [address["id"]]
    changed = customer.patch(f"/customers/me/addresses/{address['id']}", {"city": "Paris", "country": "FR"}).ok()
    assert (changed["city"], changed["country"], changed["line1"]) == ("Paris", "FR", ADDRESS["line1"])
    customer.delete(f"/customers/me/addresses/{address['id']}").ok(204)
    customer.get(f"/customers/me/addresses/{address['id']}").refused(404, "address_not_found")

    anyone = Client(customer.url)
    body = {"email": customer.email, "password": PASSWORD}
    first = anyone.post("/customers/token", body).ok()
    second = anyone.post("/customers/token/refresh", {"refresh": first["refresh"]}).ok()
    assert second["refresh"] != first["refresh"]
    anyone.post("/customers/token/revoke", {"refresh": second["refresh"]}).ok(204)
    refused = anyone.post("/customers/token/refresh", {"refresh": second["refresh"]})
    assert refused.status == 401, refused


def test_whoever_leaves_is_gone(customer: Person) -> None:
    customer.delete("/customers/me").ok(204)
    answer = Client(customer.url).post("/customers/token", {"email": customer.email, "password": PASSWORD})
    assert answer.status == 401, answer
