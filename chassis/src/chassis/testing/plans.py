"""That statements can be answered by an index: they are planned again with sequential scans forbidden.

Small tables are always scanned, whatever indexes there are; so a test of the plan PostgreSQL would take proves nothing.
Forbidden to scan, it still does where no index helps, and that is what would cost with a million rows.
https://www.postgresql.org/docs/18/runtime-config-query.html#GUC-ENABLE-SEQSCAN
"""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import sqlparse
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

_PLANNED = re.compile(r"[\s(]*(WITH|SELECT|INSERT|UPDATE|DELETE|EXECUTE)\b", re.I)


@contextmanager
def without_scans(*, small: Collection[str] = ()) -> Iterator[None]:
    """Within it, no statement may read a table from end to end but those named ``small``; raises AssertionError."""
    with CaptureQueriesContext(connection) as captured:
        yield
    statements = [part for query in captured for part in sqlparse.split(query["sql"]) if _PLANNED.match(part)]
    assert statements, "no statement was seen"
    found = {(table, statement) for statement in statements for table in _scanned(statement) if table not in small}
    assert not found, "\n".join(f"{table} is read from end to end by {statement}" for table, statement in sorted(found))


def needless_indexes() -> set[str]:
    """Names of plain indexes of a service's own tables that another index of the table begins with."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT less.indexrelid::regclass::text FROM pg_index less
            JOIN pg_index more ON more.indrelid = less.indrelid AND more.indexrelid <> less.indexrelid
            WHERE NOT less.indisunique AND less.indpred IS NULL AND more.indpred IS NULL
                AND concat(more.indkey, ' ') LIKE concat(less.indkey, ' %%')
                AND concat(more.indclass, ' ') LIKE concat(less.indclass, ' %%') AND less.indexprs IS NULL
                AND less.indrelid::regclass::text !~ '^(auth|django)_'
            """,
            [],
        )
        return {row[0] for row in cursor.fetchall()}


def _scanned(statement: str) -> set[str]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("DISCARD PLANS")  # those of prepared statements were made without that
        cursor.execute("EXPLAIN (FORMAT JSON) " + statement.replace("%", "%%"), [])
        plan = cursor.fetchone()[0][0]["Plan"]
        transaction.set_rollback(True)
    return set(_tables(plan))


def _tables(node: dict[str, Any]) -> Iterator[str]:
    if node["Node Type"] == "Seq Scan":
        yield node["Relation Name"]
    for child in node.get("Plans", ()):
        yield from _tables(child)
