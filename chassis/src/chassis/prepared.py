"""Statements that a connection parses and plans once.

A hot statement of several parts costs PostgreSQL three to four times as much to plan as to run (docs/performance.md).
psycopg2 puts values into the text, so that each text is new; here it is told ``PREPARE`` once a connection, then
``EXECUTE``. https://www.postgresql.org/docs/18/sql-prepare.html

Name the columns of an answer: a plan of ``SELECT *`` fails once a migration has changed the table.
"""

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg2.extras import Json

_PLACEHOLDER = re.compile(r"%\((\w+)\)s")
_TYPES = {UUID: "uuid", bool: "boolean", int: "bigint", float: "double precision", bytes: "bytea", Json: "jsonb"}
_known: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()


def execute(cursor: CursorWrapper, sql: str, values: Mapping[str, Any]) -> None:
    """Does what ``cursor.execute`` would. Several statements, parted by ``;``, are sent as one."""
    cursor.execute(_taught(cursor, sql, values), values)


def _taught(cursor: CursorWrapper, sql: str, values: Mapping[str, Any]) -> str:
    """The statement's short form, with the same placeholders; the cursor's connection knows it then."""
    calls, statements = _forms(sql, tuple([(name, _type(values[name])) for name in _names(sql)]))
    known = _known.setdefault(cursor.connection, set())
    for name, statement in statements:
        if name not in known:
            with connection.wrap_database_errors, cursor.connection.cursor() as plain:
                plain.execute(statement)
            known.add(name)
    return calls


@cache
def _names(sql: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_PLACEHOLDER.findall(sql)))


@cache
def _forms(sql: str, typed: tuple[tuple[str, str], ...]) -> tuple[str, list[tuple[str, str]]]:
    calls, statements, types = [], [], dict(typed)
    for part in filter(str.strip, sql.split(";")):
        used = list(dict.fromkeys(_PLACEHOLDER.findall(part)))
        text = part.replace("%%", "%")
        for number, name in enumerate(used, start=1):
            text = text.replace(f"%({name})s", f"${number}")
        declared = ", ".join(types[name] for name in used)
        id = "p" + hashlib.sha256(f"{declared} {text}".encode()).hexdigest()[:20]
        statements.append((id, f"PREPARE {id} ({declared}) AS {text}" if used else f"PREPARE {id} AS {text}"))
        values = ", ".join(f"%({name})s" for name in used)
        calls.append(f"EXECUTE {id} ({values})" if used else f"EXECUTE {id}")
    return "; ".join(calls), statements


def _type(value: Any) -> str:
    """The SQL type of a value; PostgreSQL finds out by itself what NULL is meant for."""
    if value is None:
        return "unknown"
    if isinstance(value, list):
        return f"{_type(value[0]) if value else 'text'}[]"
    return _TYPES.get(type(value), "text")
