"""People: guests, customers and staff. Each is a client with what that person does most."""

import time
from collections.abc import Mapping
from functools import partial
from threading import Lock
from typing import Any
from uuid import uuid4

from support.client import Answer, Client
from support.crowd import patiently
from support.wait import until

PASSWORD = "correct horse battery staple"  # noqa: S105
ADDRESS = {"name": "Ada Byron", "line1": "12 St James Sq", "city": "London", "postal_code": "SW1Y 4JH", "country": "GB"}
AT_REST = {"rejected", "cancelled", "completed", "shipped", "delivered", "refunded"}
"""Events after which nothing goes on by itself."""
TOKEN_KEPT = 200
"""Seconds after which we sign in anew: an access token lasts 300."""


class Session:
    """An access token that is renewed by its refresh token before it ends; for many threads."""

    def __init__(self, url: str, email: str, password: str) -> None:
        self._guest, self._email, self._password = Client(url), email, password
        self._lock, self._until = Lock(), 0.0
        self._tokens: dict[str, Any] = {}

    def __call__(self) -> str:
        """The token."""
        with self._lock:
            if time.monotonic() > self._until:
                self._tokens = self._renew()
                self._until = time.monotonic() + TOKEN_KEPT
            return str(self._tokens["access"])

    def _renew(self) -> dict[str, Any]:
        if self._tokens:
            body = {"refresh": self._tokens["refresh"]}
            return dict(self._guest.post("/customers/token/refresh", body).ok())
        body = {"email": self._email, "password": self._password}
        return dict(self._guest.post("/customers/token", body).ok())


class Person(Client):
    """Somebody who shops."""

    def __init__(self, url: str, email: str = "", password: str = "", *, address: str = "") -> None:
        super().__init__(url, Session(url, email, password) if email else None, address=address)
        self.email = email or "guest@example.com"

    def token(self) -> str:
        """The access token."""
        assert self._token is not None
        return self._token()

    @classmethod
    def new_customer(cls, url: str, name: str = "Ada Byron") -> "Person":
        """Somebody who has just signed up."""
        email = f"{uuid4().hex[:12]}@example.com"
        Client(url).post("/customers", {"email": email, "password": PASSWORD, "name": name}).ok(201)
        return cls(url, email, PASSWORD)

    def cart_with(self, quantities: Mapping[str, int]) -> str:
        """The id of a new cart with these quantities by SKU."""
        cart = str(patiently(partial(self.post, "/carts")).ok(201)["id"])
        for sku, quantity in quantities.items():
            line = f"/carts/{cart}/lines/{sku}"
            patiently(partial(self.put, line, {"quantity": quantity})).ok()
        return cart

    def checkout(self, cart: str, key: str | None = None, **changes: Any) -> Answer:
        """Orders a cart, by test card unless ``changes`` say otherwise."""
        headers = {"Idempotency-Key": key or str(uuid4())}
        return patiently(partial(self.post, "/orders", self.order(cart, **changes), headers=headers))

    def order(self, cart: str, **changes: Any) -> dict[str, Any]:
        """The body of a checkout."""
        payment = {"method": "test", "token": "tok_ok"}
        return {"cart": cart, "email": self.email, "shipping_address": ADDRESS, "payment": payment} | changes

    def bought(self, quantities: Mapping[str, int], **changes: Any) -> dict[str, Any]:
        """A confirmed order of a new cart."""
        return dict(self.checkout(self.cart_with(quantities), **changes).ok(201))

    def settled(self, order: dict[str, Any], seconds: float = 30) -> dict[str, Any]:
        """The order when nothing moves any more: every status but pending, and the steps behind it, are done."""
        path = f"/orders/{order['id']}" + (f"?access_token={order['access_token']}" if order["access_token"] else "")
        events = path.replace("?", "/events?") if "?" in path else path + "/events"
        until(lambda: self.get(events).ok()["results"][-1]["event"], AT_REST.__contains__, seconds)
        return dict(self.get(path).ok())

    def available(self, sku: str) -> int:
        """What can be sold of a SKU."""
        return int(self.get(f"/stock/{sku}").ok()["available"])


class Staff(Person):
    """Somebody who works there."""

    def receive(self, sku: str, quantity: int, kind: str = "receipt") -> dict[str, Any]:
        """A movement of goods."""
        body = {"sku": sku, "kind": kind, "quantity": quantity, "reason": "e2e"}
        return dict(self.post("/stock/movements", body).ok(201))

    def goods(self, price: int, quantity: int, **changes: Any) -> str:
        """The SKU of a new product with this price (minor units) and so many in stock."""
        sku = f"E2E-{uuid4().hex[:12]}"
        variant = {"sku": sku, "price": {"amount": price, "currency": "USD"}}
        self.post("/products", {"name": f"Goods {sku}", "variants": [variant]} | changes).ok(201)
        if quantity:
            self.receive(sku, quantity)
        return sku
