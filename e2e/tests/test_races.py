"""Many at the same moment, through the gateway: nothing is sold twice, lost or doubled."""

from collections import Counter
from uuid import uuid4

from support.client import Answer
from support.crowd import each, together
from support.people import Person, Staff
from support.wait import until

AT_ONCE = 50


def outcomes(answers: list[Answer]) -> Counter[str]:
    """How often each status, a refusal with its code."""
    return Counter(f"{a.status}" if a.status < 400 else f"{a.status} {a.code}" for a in answers)


def test_500_buyers_for_100_units(guest: Person, staff: Staff) -> None:
    sku = staff.goods(price=250, quantity=100)
    carts = each(lambda _: guest.cart_with({sku: 1}), range(500), at_once=16)
    answers = each(guest.checkout, carts, at_once=AT_ONCE)
    for answer in answers:
        if answer.status == 202:
            assert guest.settled(answer.data)["status"] == "confirmed", answer
    told = outcomes(answers)
    assert told["201"] + told["202"] == 100, told
    assert told["409 insufficient_stock"] == 400, told
    assert guest.available(sku) == 0
    entries = staff.get(f"/stock/{sku}/movements?limit=100").ok()
    sold = [entry["quantity"] for entry in entries["results"]]
    while entries["next"]:
        entries = staff.send("GET", entries["next"]).ok()
        sold += [entry["quantity"] for entry in entries["results"]]
    assert sorted(sold) == [-1] * 100 + [100]


def test_the_last_unit_has_one_buyer(guest: Person, staff: Staff) -> None:
    sku = staff.goods(price=250, quantity=1)
    carts = [guest.cart_with({sku: 1}) for _ in range(10)]
    answers = together(*(lambda cart=cart: guest.checkout(cart) for cart in carts))
    assert outcomes(answers) == {"201": 1, "409 insufficient_stock": 9}
    assert guest.available(sku) == 0


def test_goods_put_into_a_cart_twice_at_once_are_one_line(guest: Person, staff: Staff) -> None:
    sku = staff.goods(price=250, quantity=10)
    cart = guest.cart_with({})
    puts = (lambda n=n: guest.put(f"/carts/{cart}/lines/{sku}", {"quantity": n}) for n in (3, 4))
    assert outcomes(together(*puts)) == {"200": 2}
    [line] = guest.get(f"/carts/{cart}").ok()["lines"]
    assert line["quantity"] in (3, 4)
    order = guest.checkout(cart).ok(201)
    assert [each["quantity"] for each in order["lines"]] == [line["quantity"]]
    assert guest.available(sku) == 10 - line["quantity"]


def test_two_tabs_with_two_keys_and_one_cart_make_one_order(guest: Person, staff: Staff) -> None:
    sku = staff.goods(price=250, quantity=50)
    for _ in range(5):
        before = guest.available(sku)
        cart = guest.cart_with({sku: 2})
        told = outcomes(together(*[lambda cart=cart: guest.checkout(cart)] * 2))
        assert told["201"] == 1, told
        [refusal] = told.keys() - {"201"}
        assert refusal in ("409 checkout_in_progress", "409 cart_already_ordered", "409 cart_empty"), told
        assert guest.available(sku) == before - 2


def test_the_same_key_five_times_at_once_is_one_order_and_one_set_of_bytes(customer: Person, staff: Staff) -> None:
    sku, key = staff.goods(price=250, quantity=50), str(uuid4())
    cart = customer.cart_with({sku: 2})
    answers = together(*[lambda: customer.checkout(cart, key)] * 5)
    for answer in answers:
        if answer.status == 409:
            answer.refused(409, "idempotency_in_progress")
            assert int(answer.headers["Retry-After"]) > 0
    final = [
        until(lambda: customer.checkout(cart, key), lambda answer: answer.status != 409)
        if answer.status == 409
        else answer
        for answer in answers
    ]
    assert {answer.status for answer in final} == {201}
    assert len({answer.body for answer in final}) == 1
    assert len(customer.get("/orders").ok()["results"]) == 1
    assert customer.available(sku) == 48


def test_a_guest_cart_claimed_from_two_sessions_has_one_owner(
    guest: Person, customer: Person, somebody_else: Person, staff: Staff
) -> None:
    sku = staff.goods(price=250, quantity=50)
    cart = guest.cart_with({sku: 2})
    claims = [lambda p=p: p.post(f"/carts/{cart}/claim") for p in (customer, somebody_else)]
    answers = together(*claims)
    assert outcomes(answers) == {"200": 1, "404 cart_not_found": 1}
    winner, loser = (customer, somebody_else) if answers[0].status == 200 else (somebody_else, customer)
    assert winner.get("/carts/current").ok()["id"] == cart
    assert [line["quantity"] for line in winner.get(f"/carts/{cart}").ok()["lines"]] == [2]
    loser.get(f"/carts/{cart}").refused(404, "cart_not_found")
    winner.delete(f"/carts/{cart}").ok(204)


def test_a_guest_cart_claimed_twice_by_its_owner_is_not_doubled(guest: Person, customer: Person, staff: Staff) -> None:
    sku = staff.goods(price=250, quantity=50)
    mine, cart = customer.cart_with({sku: 3}), guest.cart_with({sku: 2})
    answers = together(*[lambda: customer.post(f"/carts/{cart}/claim")] * 4)
    assert outcomes(answers) == {"200": 4}
    current = customer.get("/carts/current").ok()
    assert (current["id"], [line["quantity"] for line in current["lines"]]) == (cart, [5])
    left = customer.get(f"/carts/{mine}")
    assert left.status == 404 or left.data["lines"] == []


def test_a_line_added_and_the_cart_ordered_again_while_the_first_order_is_under_way(
    guest: Person, staff: Staff
) -> None:
    first, late = staff.goods(price=100, quantity=50), staff.goods(price=100, quantity=50)
    cart = guest.cart_with({first: 2})

    def add_and_order() -> Answer:
        guest.put(f"/carts/{cart}/lines/{late}", {"quantity": 1}).ok()
        return guest.checkout(cart)

    answers = together(lambda: guest.checkout(cart), add_and_order)
    accepted = [guest.settled(answer.data) for answer in answers if answer.status in (201, 202)]
    assert accepted
    bought = Counter[str]()
    for order in accepted:
        bought.update({line["sku"]: line["quantity"] for line in order["lines"]})
    left = {line["sku"]: line["quantity"] for line in guest.get(f"/carts/{cart}").ok()["lines"]}
    # What was put into the cart was either bought or is still there: nothing twice, nothing lost.
    assert bought[first] == 2
    assert bought[late] + left.get(late, 0) == 1
    assert first not in left
    assert (guest.available(first), guest.available(late)) == (48, 50 - bought[late])


def test_a_claim_during_a_checkout_is_refused_or_comes_after_it(guest: Person, customer: Person, staff: Staff) -> None:
    sku = staff.goods(price=100, quantity=50)
    cart = guest.cart_with({sku: 2})
    slow = {"method": "test", "token": "tok_timeout"}
    order, claim = together(lambda: guest.checkout(cart, payment=slow), lambda: customer.post(f"/carts/{cart}/claim"))
    if claim.status == 409:
        claim.refused(409, "checkout_in_progress")
    if order.status in (201, 202):
        assert guest.settled(order.data)["status"] == "confirmed"
        assert guest.available(sku) == 48
        # The order has taken its goods, whoever owns the cart now.
        until(lambda: customer.post(f"/carts/{cart}/claim"), lambda answer: answer.status == 200)
        assert customer.get(f"/carts/{cart}").ok()["lines"] == []
    else:
        order.refused(404, "cart_not_found")
        assert (claim.status, guest.available(sku)) == (200, 50)
        assert [line["quantity"] for line in customer.get(f"/carts/{cart}").ok()["lines"]] == [2]


def test_cancelling_many_times_at_once_puts_the_goods_back_once(customer: Person, staff: Staff) -> None:
    sku = staff.goods(price=100, quantity=10)
    order = customer.bought({sku: 4})
    answers = together(*[lambda: customer.post(f"/orders/{order['id']}/cancel")] * 4)
    assert set(outcomes(answers)) == {"200"}
    assert customer.get(f"/orders/{order['id']}").ok()["payment"]["status"] == "refunded"
    assert customer.available(sku) == 10
