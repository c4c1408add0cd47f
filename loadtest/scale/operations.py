"""The operations that must not get dearer as the shop grows, one client after the other, each timed by itself."""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple
from uuid import UUID, uuid4

from loadtest import auditor
from loadtest.bench import journeys
from loadtest.bench.crowd import Failed, expect
from loadtest.bench.stand import Stand
from loadtest.bench.wire import Wire

WORDS = ("milk", "bananas", "soft drinks", "pota", "chedder", "shredded cheese", "zzgrapes", "ice cream", "grocery")
"""Common and rare, one and two, a beginning, misspelled ones, one that is a category's and in no name."""
PASSWORD = "correct horse battery staple"  # noqa: S105 - of an account that the measurement makes
DAY = 86_400
NOTHINGS = 200
"""Some so many times the view that does nothing is asked in turn with an operation, however rarely that is done."""


@dataclass
class Visitor:
    """Who measures: straight at a products instance, where no cache is, and at the gateway; signed in."""

    stand: Stand
    products: Wire
    gateway: Wire
    bare: Wire
    account: dict[str, str]
    token: str = ""
    customer: UUID | None = None
    deep: str = ""
    category: str = ""
    slugs: tuple[str, ...] = ()

    @classmethod
    def of(cls, stand: Stand) -> "Visitor":
        """Signs a customer up."""
        gateway, account = Wire(stand.port), {"email": f"{uuid4()}@example.com", "password": PASSWORD}
        expect(gateway.ask("POST", "/api/v1/customers", account | {"name": "Ada"}), 201)
        visitor = cls(stand, Wire(stand.shop.ports["PRODUCTS_1_PORT"]), gateway, Wire(stand.yardstick_port), account)
        visitor.sign_in()
        me = expect(gateway.ask("GET", "/api/v1/customers/me", Authorization=f"Bearer {visitor.token}"), 200).json()
        visitor.customer = UUID(me["id"])
        return visitor

    def sign_in(self) -> None:
        """A token is good for five minutes."""
        tokens = expect(self.gateway.ask("POST", "/api/v1/customers/token", self.account), 200).json()
        self.token = tokens["access"]

    def come_again(self) -> None:
        """On new connections, with a new token."""
        self.products.close()
        self.gateway.close()
        self.bare.close()
        self.sign_in()

    def look_ahead(self) -> None:
        """Comes again, finds the page after 20,000 products, or the last one, and some products to look at."""
        self.come_again()  # the shop may have grown for minutes: idle connections are closed by then
        path = "/api/v1/products?limit=100"
        for _ in range(200):
            page = expect(self.products.ask("GET", path), 200).json()
            if page["next"] is None:
                break
            self.deep = "/api/v1/products?" + page["next"].split("?", 1)[1].replace("limit=100", "limit=20")
            path = "/api/v1/products?" + page["next"].split("?", 1)[1]
        chosen = "SELECT slug FROM products_product TABLESAMPLE SYSTEM (5) WHERE status = 'active' LIMIT 500"
        self.category = self.stand.column("products", "SELECT slug FROM products_category WHERE parent_id IS NULL")[0]
        self.slugs = tuple(self.stand.column("products", chosen))

    def read(self, path: str) -> float:
        """Milliseconds of one product read."""
        begin = time.perf_counter()
        expect(self.products.ask("GET", path), 200)
        return (time.perf_counter() - begin) * 1000

    def nothing(self) -> float:
        """Milliseconds of a view that reads nothing."""
        begin = time.perf_counter()
        expect(self.bare.ask("GET", "/bare"), 200)
        return (time.perf_counter() - begin) * 1000

    def history(self) -> float:
        """Milliseconds of the first page of my orders."""
        begin = time.perf_counter()
        answer = self.gateway.ask("GET", "/api/v1/orders?limit=20", Authorization=f"Bearer {self.token}")
        assert len(expect(answer, 200).json()["results"]) == 20
        return (time.perf_counter() - begin) * 1000

    def line(self) -> float:
        """Milliseconds of a line into a cart that has none."""
        cart = journeys.open_cart(self.gateway)
        begin = time.perf_counter()
        expect(journeys.put(self.gateway, cart, random.choice(self.stand.skus)), 200)  # noqa: S311
        return (time.perf_counter() - begin) * 1000

    def order(self) -> float:
        """Milliseconds of placing an order of two goods."""
        cart = journeys.open_cart(self.gateway)
        for sku in random.sample(self.stand.skus, 2):
            expect(journeys.put(self.gateway, cart, sku), 200)
        begin = time.perf_counter()
        expect(journeys.order(self.gateway, cart), 201)
        return (time.perf_counter() - begin) * 1000

    def audit(self) -> float:
        """Milliseconds of auditing the last day, for each thousand orders of it: those placed here count, too."""
        self.stand.rest()
        urls = auditor.of_secrets(self.stand.shop.state.secrets)
        begin = time.perf_counter()
        report = auditor.examine(urls, settle_seconds=0, since=DAY)
        if report.findings:
            raise Failed(str(report.findings[0]))
        return (time.perf_counter() - begin) * 1e6 / report.checked["totals"]


def operations(visitor: Visitor) -> Iterator[tuple[str, int, Callable[[], float]]]:
    """Name, how often, and what to do. The audit comes before the orders that are placed here."""

    def in_turn(paths: list[str]) -> Callable[[], float]:
        turns = iter(range(10**9))
        return lambda: visitor.read(paths[next(turns) % len(paths)])

    search = [f"/api/v1/products?limit=20&q={word.replace(' ', '+')}" for word in WORDS]
    facets = ["", f"?category={visitor.category}", "?q=milk", "?max_price=300"]
    yield "audit of the last day, 1,000 orders", 3, visitor.audit
    yield "list, first page", 200, in_turn(["/api/v1/products?limit=20"])
    yield "list, page 1,000", 200, in_turn([visitor.deep])
    for path in search:
        yield f"search {path.rpartition('=')[2]}", 50, in_turn([path])
    for query in facets:
        yield f"facets {query}".strip(), 20, in_turn([f"/api/v1/products/facets{query}"])
    yield "one product", 200, in_turn([f"/api/v1/products/{slug}" for slug in visitor.slugs])
    yield "order history", 100, visitor.history
    yield "add to cart", 150, visitor.line
    yield "place order", 100, visitor.order


class Timed(NamedTuple):
    """Medians in milliseconds: of an operation, and of a view that does nothing, asked in turn with it.

    The second is how fast the machine was in those very moments: its speed changes by a quarter within seconds.
    """

    operation: float
    nothing: float

    def over(self, other: "Timed") -> float:
        """How many times the other this is, on a machine that is as fast for both."""
        return (self.operation / other.operation) / (self.nothing / other.nothing)


def measured(visitor: Visitor, say: Callable[[str], object]) -> dict[str, Timed]:
    """Each operation, after a tenth of as many to warm up."""
    found = {}
    for name, times, once in operations(visitor):
        say(name)
        for _ in range(max(1, times // 10)):
            once()
            visitor.nothing()
        seen = [(once(), median(visitor.nothing() for _ in range(max(1, NOTHINGS // times)))) for _ in range(times)]
        found[name] = Timed(*(median(column) for column in zip(*seen, strict=True)))
    return found
