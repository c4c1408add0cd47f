"""Carts and accounts: what orders took out of carts, and whose they are."""

from collections.abc import Iterator
from heapq import merge
from itertools import groupby
from operator import itemgetter

from loadtest.auditor.cases import Case
from loadtest.auditor.databases import Databases
from loadtest.auditor.findings import Finding

_BATCH = 1_000


def consumed(case: Case) -> str | None:
    """An order takes its lines out of its cart when its goods are sold; ``ASK`` where the cart has to be asked for."""
    order, taken = case.order, case.consumed
    if taken is None:
        through = order is not None and "completed" in order.path.split()
        return ASK if through else None
    if order is None:
        return "lines were taken for no order"
    if taken.cart != order.cart:
        return f"lines were taken out of cart {taken.cart}, ordered out of {order.cart}"
    if "stock_committed" not in order.path.split():
        return f"lines were taken, and it is {order.state}"
    return ""


ASK = "ask"


class Missing:
    """Orders whose cart does not remember them: an offence, unless the cart is gone."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases
        self._waiting: dict[str, str] = {}

    def add(self, case: Case) -> Iterator[Finding]:
        """Remembers the case, and asks for a batch of carts now and then."""
        assert case.order
        self._waiting[case.id] = case.order.cart
        if len(self._waiting) >= _BATCH:
            yield from self.ask()

    def ask(self) -> Iterator[Finding]:
        """The orders whose carts are there."""
        query = "SELECT id FROM cart_cart WHERE id = ANY(%(ids)s::uuid[])"
        there = {row[0] for row in self._databases.stream("cart", query, ids=list(self._waiting.values()))}
        for id, cart in self._waiting.items():
            if cart in there:
                yield Finding("carts", f"order {id}", f"its lines were not taken out of cart {cart}")
        self._waiting.clear()


def accounts(databases: Databases) -> Iterator[tuple[str, str]]:
    """Every account that orders or carts name, with what is wrong with it. A closed account stays as a row."""
    named = "SELECT DISTINCT customer FROM {} WHERE customer IS NOT NULL /*accounts customer*/ {} ORDER BY 1"
    known = "SELECT id FROM customers_customer WHERE true /*accounts id*/ ORDER BY id"
    streams = [
        ((row[0], "orders") for row in databases.stream("orders", named.format("orders_order", "/*ids id*/"))),
        ((row[0], "carts") for row in databases.stream("cart", named.format("cart_cart", ""))),
        ((row[0], "") for row in databases.stream("customers", known)),
    ]
    for id, sources in groupby(merge(*streams), key=itemgetter(0)):
        words = [source for _, source in sources]
        if any(words):
            yield id, "" if "" in words else f"it has {' and '.join(words)}, and does not exist"
