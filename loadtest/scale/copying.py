"""Rows into tables by COPY, a batch at a time, as the database's superuser; nothing is durable until the end."""

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from local.shop import Shop

Row = tuple[object, ...]
Progress = Callable[[int], object]
BATCH = 20_000
# Foreign keys are true by construction; what is lost in a crash is loaded anew.
_SETTINGS = """
    SET session_replication_role = replica; SET synchronous_commit = off; SET statement_timeout = 0;
    SET maintenance_work_mem = '256MB'; SET gin_pending_list_limit = '128MB'
"""


@contextmanager
def loading(shop: Shop, database: str) -> Iterator[Any]:
    """A cursor; each statement is a transaction."""
    password = (shop.state.secrets / "superuser_password").read_text().strip()
    port = shop.ports["POSTGRES_PORT"]
    connection = psycopg2.connect(host="127.0.0.1", port=port, user="postgres", password=password, dbname=database)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(_SETTINGS)
            yield cursor
    finally:
        connection.close()


def copy(cursor: Any, table: str, columns: str, rows: Iterable[Row]) -> int:
    """One COPY; how many rows. None is NULL; texts must hold neither tabs, newlines nor backslashes."""
    lines = ["\t".join("\\N" if value is None else str(value) for value in row) for row in rows]
    cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN", io.StringIO("\n".join([*lines, ""])))
    return len(lines)


def batches(start: int, stop: int) -> Iterator[range]:
    """The numbers from ``start`` to ``stop``, a batch at a time."""
    for first in range(start, stop, BATCH):
        yield range(first, min(stop, first + BATCH))
