"""Reading: one snapshot of each database, all taken at the same moment, rows as a stream."""

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


class Databases:
    """The snapshots. ``settle`` is what ``%(settle)s`` stands for in every statement: the quiet time in seconds."""

    def __init__(self, connections: Mapping[str, Connection], settle: float) -> None:
        self._connections, self._settle = connections, settle

    def stream(self, database: str, statement: str, **values: Any) -> Iterator[tuple[Any, ...]]:
        """The rows, fetched batch by batch."""
        with self._connections[database].cursor(name=f"audit_{uuid4().hex}") as cursor:
            cursor.itersize = BATCH
            cursor.execute(statement, {"settle": self._settle, **values})
            yield from cursor

    def value(self, database: str, statement: str, **values: Any) -> Any:
        """The first column of the first row."""
        with self._connections[database].cursor() as cursor:
            cursor.execute(statement, {"settle": self._settle, **values})
            row = cursor.fetchone()
        return row and row[0]


@contextmanager
def opened(urls: Mapping[str, str], settle: float) -> Iterator[Databases]:
    """Connects to every database and takes its snapshot; raises psycopg2's error where one does not answer."""
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
        yield databases
