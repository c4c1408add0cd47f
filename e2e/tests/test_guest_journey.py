"""A guest finds bananas, buys them, changes their mind."""

from uuid import uuid4

from support.people import ADDRESS, Person, Staff

ORDER = {
    "id",
    "number",
    "status",
    "lines",
    "subtotal",
    "discount",
    "shipping",
    "tax",
    "total",
    "email",
    "shipping_address",
    "payment",
    "created",
    "access_token",
}


def test_from_a_misspelled_search_to_a_cancelled_order(guest: Person) -> None:
    found = guest.get("/products?q=bananna").ok()["results"]
    assert {"Bananas, 40 LB", "Bananas, 8 OZ"} <= {product["name"] for product in found}
    bananas = next(product for product in found if product["name"] == "Bananas, 40 LB")
    assert bananas["category"]["path"] == ["Produce", "Tropical Fruit", "Bananas"]
    [variant] = bananas["variants"]
    sku, price = variant["sku"], variant["price"]["amount"]
    assert guest.get(f"/products/{bananas['slug']}").ok()["variants"] == [variant]
    before = guest.available(sku)
    assert before > 3

    cart = guest.post("/carts").ok(201)["id"]
    filled = guest.put(f"/carts/{cart}/lines/{sku}", {"quantity": 3}).ok()
    total = {"amount": 3 * price, "currency": "USD"}
    assert filled["total"] == total
    order = guest.checkout(cart, expected_total=total).ok(201)
    assert set(order) == ORDER
    assert (order["status"], order["total"], order["subtotal"]) == ("confirmed", total, total)
    assert order["payment"] == {"method": "test", "status": "paid"}
    assert order["shipping_address"] == ADDRESS
    assert [(line["sku"], line["quantity"], line["line_total"]) for line in order["lines"]] == [(sku, 3, total)]
    assert guest.available(sku) == before - 3
    assert guest.get(f"/carts/{cart}").ok()["lines"] == []

    page = f"/orders/{order['id']}"
    guest.get(page).refused(404, "order_not_found")
    guest.get(f"{page}?access_token={uuid4().hex}").refused(404, "order_not_found")
    assert guest.get(f"{page}?access_token={order['access_token']}").ok() == order
    guest.get("/orders").refused(401, "not_authenticated")

    guest.post(f"{page}/cancel").refused(404, "order_not_found")
    cancelled = guest.post(f"{page}/cancel?access_token={order['access_token']}").ok()
    assert cancelled["id"] == order["id"]
    final = guest.settled(order)
    assert (final["status"], final["payment"]["status"]) == ("refunded", "refunded")
    assert guest.available(sku) == before
    events = guest.get(f"{page}/events?access_token={order['access_token']}").ok()["results"]
    assert events[0]["event"] == "pending"
    assert events[-1]["status"] == "refunded"
    assert [event["created"] for event in events] == sorted(event["created"] for event in events)


def test_a_declined_payment_costs_nothing_and_may_be_tried_again(guest: Person, staff: Staff) -> None:
    sku = staff.goods(price=1250, quantity=2)
    cart = guest.cart_with({sku: 2})
    guest.checkout(cart, payment={"method": "test", "token": "tok_declined"}).refused(402, "payment_declined")
    assert guest.available(sku) == 2
    assert [line["quantity"] for line in guest.get(f"/carts/{cart}").ok()["lines"]] == [2]
    order = guest.checkout(cart).ok(201)
    assert order["total"]["amount"] == 2500
    assert guest.available(sku) == 0


def test_a_price_that_changes_is_shown_in_the_cart_and_refused_where_another_was_expected(
    guest: Person, staff: Staff
) -> None:
    sku = staff.goods(price=500, quantity=5)
    [product] = guest.get(f"/products?sku={sku}").ok()["results"]
    cart = guest.cart_with({sku: 2})
    seen = guest.get(f"/carts/{cart}").ok()
    assert seen["lines"][0]["previous_unit_price"] is None
    price = {"amount": 620, "currency": "USD"}
    staff.patch(f"/products/{product['slug']}", {"variants": [{"sku": sku, "price": price}]}).ok()
    [line] = guest.get(f"/carts/{cart}").ok()["lines"]
    assert line["unit_price"] == price
    assert line["previous_unit_price"] == {"amount": 500, "currency": "USD"}
    assert line["line_total"] == {"amount": 1240, "currency": "USD"}
    guest.checkout(cart, expected_total=seen["total"]).refused(409, "total_changed")
    assert guest.available(sku) == 5
    order = guest.checkout(cart, expected_total={"amount": 1240, "currency": "USD"}).ok(201)
    assert order["lines"][0]["unit_price"] == price


def test_more_than_there_is_is_refused_at_checkout_and_says_what_is_there(guest: Person, staff: Staff) -> None:
    plenty, few = staff.goods(price=100, quantity=10), staff.goods(price=100, quantity=2)
    cart = guest.cart_with({plenty: 1, few: 3})
    lines = {line["sku"]: line["available"] for line in guest.get(f"/carts/{cart}").ok()["lines"]}
    assert lines == {plenty: 10, few: 2}
    problem = guest.checkout(cart).refused(409, "insufficient_stock")
    assert [(line["sku"], line["available"]) for line in problem["lines"]] == [(few, 2)]
    assert (guest.available(plenty), guest.available(few)) == (10, 2)
    guest.put(f"/carts/{cart}/lines/{few}", {"quantity": 2}).ok()
    guest.checkout(cart).ok(201)
    assert (guest.available(plenty), guest.available(few)) == (9, 0)


def test_a_payment_whose_answer_is_lost_is_found_and_charged_once(guest: Person, staff: Staff) -> None:
    sku = staff.goods(price=300, quantity=4)
    answer = guest.checkout(guest.cart_with({sku: 1}), payment={"method": "test", "token": "tok_timeout"})
    assert answer.status in (201, 202), answer
    final = guest.settled(answer.data)
    assert (final["status"], final["payment"]["status"]) == ("confirmed", "paid")
    assert guest.available(sku) == 3
