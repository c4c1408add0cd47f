"""An order that cannot be finished at once: the payment provider is away, and meanwhile people do what people do."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest
from local.shop import Shop

from support.client import Answer
from support.people import Person, Staff
from support.wait import until


@dataclass(frozen=True)
class Waiting:
    """A guest's order that waits for the provider."""

    key: str
    cart: str
    sku: str
    answer: Answer


@pytest.fixture(scope="module")
def own_shop(target: object) -> Shop:
    """The shop, for the whole module."""
    local = getattr(target, "local", None)
    if not isinstance(local, Shop):
        pytest.skip("stops a process of the shop: needs a local one")
    return local


@pytest.fixture(scope="module")
def waiting(own_shop: Shop, guest: Person, staff: Staff) -> Iterator[Waiting]:
    """The order; the provider comes back at the end of the module at the latest."""
    sku, key = staff.goods(price=700, quantity=10), str(uuid4())
    cart = guest.cart_with({sku: 2})
    own_shop.stop("testpay")
    try:
        yield Waiting(key, cart, sku, guest.checkout(cart, key))
    finally:
        own_shop.start("testpay")


def test_the_answer_is_202_and_says_where_to_look(waiting: Waiting, guest: Person) -> None:
    order = waiting.answer.ok(202)
    assert (order["status"], order["payment"]) == ("pending", {"method": "test", "status": "due"})
    location = waiting.answer.headers["Location"]
    assert location == f"/api/v1/orders/{order['id']}?access_token={order['access_token']}"
    assert guest.send("GET", location).ok()["status"] == "pending"
    assert guest.available(waiting.sku) == 8


def test_the_same_key_is_told_to_wait(waiting: Waiting, guest: Person) -> None:
    again = guest.checkout(waiting.cart, waiting.key)
    if again.status == 202:  # it took up the order that nobody was at work on, and got no further
        assert again.data["id"] == waiting.answer.data["id"]
    else:
        again.refused(409, "idempotency_in_progress")
        assert int(again.headers["Retry-After"]) > 0
    guest.checkout(waiting.cart, waiting.key, email="other@example.com").refused(422, "idempotency_key_reused")


def test_another_key_for_the_same_cart_is_refused(waiting: Waiting, guest: Person) -> None:
    guest.checkout(waiting.cart).refused(409, "checkout_in_progress")
    assert guest.available(waiting.sku) == 8


def test_a_claim_during_the_checkout_is_refused(waiting: Waiting, customer: Person) -> None:
    customer.post(f"/carts/{waiting.cart}/claim").refused(409, "checkout_in_progress")


def test_the_order_goes_on_by_itself_and_what_was_added_meanwhile_stays(
    waiting: Waiting, own_shop: Shop, guest: Person, customer: Person, staff: Staff
) -> None:
    late = staff.goods(price=100, quantity=5)
    guest.put(f"/carts/{waiting.cart}/lines/{late}", {"quantity": 1}).ok()
    guest.put(f"/carts/{waiting.cart}/lines/{waiting.sku}", {"quantity": 3}).ok()
    own_shop.start("testpay")
    order = guest.settled(waiting.answer.data, seconds=90)
    assert (order["status"], order["payment"]["status"]) == ("confirmed", "paid")
    assert {line["sku"]: line["quantity"] for line in order["lines"]} == {waiting.sku: 2}
    left = until(lambda: guest.get(f"/carts/{waiting.cart}").ok()["lines"], lambda lines: lines[-1]["quantity"] == 1)
    assert {line["sku"]: line["quantity"] for line in left} == {waiting.sku: 1, late: 1}
    assert (guest.available(waiting.sku), guest.available(late)) == (8, 5)

    replays = [guest.checkout(waiting.cart, waiting.key) for _ in range(2)]
    assert [replay.status for replay in replays] == [201, 201]
    assert replays[0].body == replays[1].body
    assert {replay.headers["Idempotent-Replayed"] for replay in replays} == {"true"}
    assert replays[0].data["id"] == order["id"]
    assert customer.post(f"/carts/{waiting.cart}/claim").ok()["lines"] != []
