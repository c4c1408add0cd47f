"""Reading: one snapshot of each database, all taken at the same moment, rows as a stream.

A statement says by comments what it is narrowed to, where only some orders are looked at: WHERE true /*ids order_id*/.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any
from uuid import uuid4

import psycopg2
from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ
from psycopg2.extensions import connection as Connection

BATCH = 5_000
"""Rows that are in memory at a time, for each stream."""
_OPTIONS = (
    # Most of what is read is read whole and grouped: let it sort in memory, and plan for the last row, not the first.
    "-c work_mem=64MB -c cursor_tuple_fraction=1.0 -c statement_timeout=0 -c jit=off"
)
_MARK = re.compile(r"/\*(\w+) ([\w.]+)\*/")
_NARROWED = {
    "ids": "AND {} = ANY(%(ids)s::uuid[])",
    "skus": "AND {} = ANY(%(skus)s::text[])",
    "accounts": "AND {} = ANY(%(accounts)s::uuid[])",
    "keys_of_ids": "AND {} IN (SELECT idempotency_id FROM orders_order WHERE id = ANY(%(ids)s::uuid[]))",
    "products_of_skus": "AND {} IN (SELECT product_id FROM products_variant WHERE sku = ANY(%(skus)s::text[]))",
}
_SINCE = "SELECT id FROM {} WHERE created >= now() - make_interval(secs => %(since)s)"


class Databases:
    """The snapshots. ``settle`` is what ``%(settle)s`` stands for in every statement: the quiet time in seconds."""

    def __init__(self, connections: Mapping[str, Connection], settle: float) -> None:
        self._connections, self._settle = connections, settle
        self._only: dict[str, list[Any]] = {}

    def narrow(self, since: float) -> None:
        """From now on only orders placed, and reservations made, in the last ``since`` seconds, and what is theirs."""
        ids = {row[0] for row in self.stream("orders", _SINCE.format("orders_order"), since=since)}
        ids |= {row[0] for row in self.stream("stock", _SINCE.format("stock_reservation"), since=since)}
        self._only = {"ids": sorted(ids)}
        skus = "SELECT DISTINCT sku FROM stock_reservationline WHERE true /*ids reservation_id*/"
        accounts = "SELECT DISTINCT customer FROM orders_order WHERE customer IS NOT NULL /*ids id*/"
        self._only["skus"] = [row[0] for row in self.stream("stock", skus)]
        self._only["accounts"] = [row[0] for row in self.stream("orders", accounts)]

    def stream(self, database: str, statement: str, **values: Any) -> Iterator[tuple[Any, ...]]:
        """The rows, fetched batch by batch."""
        with self._connections[database].cursor(name=f"audit_{uuid4().hex}") as cursor:
            cursor.itersize = BATCH
            cursor.execute(self._narrowed(statement), {"settle": self._settle, **self._only, **values})
            yield from cursor

    def value(self, database: str, statement: str, **values: Any) -> Any:
        """The first column of the first row."""
        with self._connections[database].cursor() as cursor:
            cursor.execute(self._narrowed(statement), {"settle": self._settle, **self._only, **values})
            row = cursor.fetchone()
        return row and row[0]

    def _narrowed(self, statement: str) -> str:
        return _MARK.sub(lambda mark: _NARROWED[mark[1]].format(mark[2]), statement) if self._only else statement


@contextmanager
def opened(urls: Mapping[str, str], settle: float, since: float | None = None) -> Iterator[Databases]:
    """Connects to every database and takes its snapshot; raises psycopg2's error where one does not answer.

    ``since``: only what belongs to the orders of so many seconds.
    """
    with ExitStack() as stack:
        connections = {}
        for name, url in urls.items():
            connections[name] = psycopg2.connect(url, connect_timeout=5, application_name="auditor", options=_OPTIONS)
            stack.callback(connections[name].close)
            connections[name].set_session(isolation_level=ISOLATION_LEVEL_REPEATABLE_READ, readonly=True)
        databases = Databases(connections, settle)
        # The last one asked is the first one written to: stock follows orders, so orders is read before it.
        for name in sorted(connections, key=lambda name: name != "orders"):
            databases.value(name, "SELECT 1")
        if since is not None:
            databases.narrow(since)
        yield databases
