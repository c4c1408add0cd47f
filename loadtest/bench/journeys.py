"""What people do, as the measurements need it: the same steps as in the table of docs/performance.md."""

import random
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from loadtest.bench.crowd import Person, Tally, expect
from loadtest.bench.wire import Answer, Wire

ADDRESS = {"name": "Ada", "line1": "1 Main St", "city": "Springfield", "postal_code": "12345", "country": "US"}
# Beyond any price and different each time: no cache has this list, and its rows are those of the plain one.
_BEYOND = 100_000_000


def checkout(skus: Sequence[str]) -> Person:
    """Opens a cart, puts two lines into it, and places the order with its address: four requests."""

    def person(wire: Wire, chance: random.Random, tally: Tally) -> None:
        with tally.timed("journey"):
            with tally.timed("create cart"):
                cart = open_cart(wire)
            for sku in chance.sample(skus, 2):
                with tally.timed("put line"):
                    expect(put(wire, cart, sku), 200)
            with tally.timed("place order"):
                expect(order(wire, cart), 201)

    return person


def line(skus: Sequence[str]) -> Person:
    """A line into a new cart: two requests."""

    def person(wire: Wire, chance: random.Random, tally: Tally) -> None:
        with tally.timed("line"):
            expect(put(wire, open_cart(wire), chance.choice(skus)), 200)

    return person


def page_of_goods(wire: Wire, chance: random.Random, tally: Tally) -> None:
    """20 goods with their prices, and how many there are of each: two requests, neither of them cached."""
    with tally.timed("page"):
        listed = expect(wire.ask("GET", uncached_list(chance)), 200).json()["results"]
        skus = "&".join(f"sku={goods['variants'][0]['sku']}" for goods in listed)
        expect(wire.ask("GET", f"/api/v1/stock?{skus}"), 200)


def uncached_list(chance: random.Random) -> str:
    """The address of the first 20 goods, different each time."""
    return f"/api/v1/products?limit=20&max_price={_BEYOND + chance.randrange(10**9)}"


def open_cart(wire: Wire) -> str:
    """A guest's new cart; its id. Raises ``Failed``."""
    return str(expect(wire.ask("POST", "/api/v1/carts"), 201).json()["id"])


def put(wire: Wire, cart: str, sku: str, quantity: int = 1) -> Answer:
    """Puts a line into the cart."""
    return wire.ask("PUT", f"/api/v1/carts/{cart}/lines/{sku}", {"quantity": quantity})


def order(wire: Wire, cart: str) -> Answer:
    """Places the order."""
    body: dict[str, Any] = {"cart": cart, "email": "ada@example.com", "shipping_address": ADDRESS}
    body["payment"] = {"method": "test", "token": "tok_ok"}
    return wire.ask("POST", "/api/v1/orders", body, Idempotency_Key=uuid4().hex)
