"""What people come for, and how many of each kind there are: two look for one who buys, and of the buyers as many are
customers as there are baskets whose household had bought before.
"""

import random
from urllib.parse import quote
from uuid import uuid4

from locust import task

from .goods import real_baskets
from .visitor import Visitor

_, RETURNING = real_baskets()

PASSWORD = "correct horse battery staple"  # noqa: S105 - of accounts that the load test itself makes
ABANDONED = 0.25
"""Carts that are left behind; the baskets cannot tell, since all of them were bought."""


class Looker(Visitor):
    """Looks around and searches, and buys nothing."""

    weight = 200

    @task(2)
    def look_around(self) -> None:
        """The list, the next page, a category, what could narrow it, two products."""
        status, page = self.ask("list", "GET", "/products?limit=20")
        if status == 200 and page["next"]:
            self.ask("list, next page", "GET", "/products?" + page["next"].split("?", 1)[1])
        category = self.goods.product().category
        if category:
            self.ask("list of a category", "GET", f"/products?category={quote(category)}")
            self.ask("facets", "GET", f"/products/facets?category={quote(category)}")
        for _ in range(2):
            product = self.goods.product()
            self.look_at(product.slug, product.sku)

    @task(1)
    def search(self) -> None:
        """Types something, and looks at what is found first."""
        status, page = self.ask("search", "GET", f"/products?q={quote(self.goods.words())}")
        for found in page["results"][:1] if status == 200 else ():
            self.look_at(found["slug"], found["variants"][0]["sku"])


class Guest(Visitor):
    """Fills a cart with a real basket, comes back to it, and buys it without an account; or leaves it."""

    weight = round(100 * (1 - RETURNING))

    @task
    def shop(self) -> None:
        """One visit."""
        cart = self.open_cart()
        if not cart or not self.fill(cart, self.goods.basket()) or random.random() < ABANDONED:
            return
        self.think()
        self.ask("look at cart", "GET", f"/carts/{cart}")
        self.order(cart)


class Customer(Visitor):
    """Has an account: fills a cart as a guest, comes back, signs in, takes the cart along, buys, looks at the order."""

    weight = round(100 * RETURNING)

    def on_start(self) -> None:
        """Signs up."""
        self.account = {"email": f"load-{uuid4()}@example.com", "password": PASSWORD}
        self.refresh = self.access = ""
        self.ask("sign up", "POST", "/customers", self.account | {"name": "Ada Byron"})

    @task
    def shop(self) -> None:
        """One visit."""
        cart = self.open_cart()
        if not cart or not self.fill(cart, self.goods.basket()) or random.random() < ABANDONED:
            return
        self.think()
        if not self.sign_in():
            return
        self.ask("claim cart", "POST", f"/carts/{cart}/claim", token=self.access)
        self.ask("current cart", "GET", "/carts/current", token=self.access)
        if self.order(cart, token=self.access):
            self.ask("order history", "GET", "/orders?limit=10", token=self.access)

    def sign_in(self) -> bool:
        """With the password at first, then for as long as the session lasts with its refresh token."""
        if self.refresh:
            status, tokens = self.ask("refresh token", "POST", "/customers/token/refresh", {"refresh": self.refresh})
        else:
            status, tokens = self.ask("sign in", "POST", "/customers/token", self.account)
        self.access, self.refresh = (tokens["access"], tokens["refresh"]) if status == 200 else ("", "")
        return status == 200


class FlashBuyer(Visitor):
    """Wants one product, as everybody does, and wants it now. Comes only with the shape `flash`."""

    haste = 0.2
    sku = ""

    @task
    def grab(self) -> None:
        """Cart, line, order."""
        cart = self.open_cart()
        if cart and self.fill(cart, {self.sku: 1}):
            self.order(cart)
