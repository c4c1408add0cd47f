"""Somebody who has the shop open: one request after the other, a moment to think between them."""

import random
from typing import Any
from uuid import uuid4

from gevent import sleep
from locust.contrib.fasthttp import FastHttpUser

from .goods import Basket, Goods
from .outcomes import Outcomes

ADDRESS = {"name": "Ada Byron", "line1": "1 Main St", "city": "Springfield", "postal_code": "12345", "country": "US"}
# A shop that is asked for more than it has says no, and that is right.
OUTCOMES = frozenset({"insufficient_stock"})
Answer = tuple[int, Any]


class Visitor(FastHttpUser):
    """What all people do. The locustfile sets ``goods`` and ``outcomes`` before the first one comes."""

    abstract = True
    network_timeout = 30.0
    connection_timeout = 5.0
    goods: Goods
    outcomes: Outcomes
    haste = 1.0
    """Seconds of thinking between requests, on average; 0 for people who do not think."""

    def ask(self, step: str, method: str, path: str, body: Any = None, *, token: str = "", **headers: str) -> Answer:
        """Status and JSON; counted under ``step``. What is neither 2xx nor a known outcome is a failure."""
        words = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            words["Authorization"] = f"Bearer {token}"
        address = f"/api/v1{path}"
        with self.client.request(
            method, address, name=step, json=body, headers=words, catch_response=True, allow_redirects=False
        ) as answer:
            status, found = answer.status_code, _json(answer)
            code = found.get("code", "") if isinstance(found, dict) else ""
            if 200 <= status < 300:
                answer.success()
            elif code in OUTCOMES:
                self.outcomes.refused[code] += 1
                answer.success()
            else:
                answer.failure(f"{status} {code}".strip() if status else f"no answer: {answer.error}")
        if served := (answer.headers or {}).get("X-Served-By"):
            self.outcomes.served[served] += 1
        self.think()
        return status, found

    def think(self) -> None:
        """Waits a moment."""
        if self.haste:
            sleep(random.uniform(0.5, 1.5) * self.haste)

    def look_at(self, slug: str, sku: str) -> None:
        """A product's page, and how many are there."""
        self.ask("product", "GET", f"/products/{slug}")
        self.ask("stock", "GET", f"/stock/{sku}")

    def open_cart(self, token: str = "") -> str:
        """A new cart; its id, empty where that failed."""
        status, cart = self.ask("open cart", "POST", "/carts", token=token)
        return str(cart["id"]) if status == 201 else ""

    def fill(self, cart: str, basket: Basket, token: str = "") -> int:
        """Puts the basket into the cart, line by line; how many lines are in it then."""
        put = 0
        for sku, quantity in basket.items():
            status, _ = self.ask("put line", "PUT", f"/carts/{cart}/lines/{sku}", {"quantity": quantity}, token=token)
            put += status == 200
        return put

    def order(self, cart: str, token: str = "") -> bool:
        """Places the order; whether it was confirmed."""
        body = {
            "cart": cart,
            "email": "ada@example.com",
            "shipping_address": ADDRESS,
            "payment": {"method": "test", "token": "tok_ok"},
        }
        status, order = self.ask("place order", "POST", "/orders", body, token=token, Idempotency_Key=str(uuid4()))
        self.outcomes.accepted += status == 202
        if status == 201:
            self.outcomes.bought(order)
        return status == 201


def _json(answer: Any) -> Any:
    try:
        return answer.json() if answer.text else {}
    except ValueError:
        return {}
