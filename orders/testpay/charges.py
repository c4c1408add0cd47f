"""Charges by key. A key is charged once; what became of it is never forgotten."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection

OUTCOMES = {"tok_ok": "succeeded", "tok_timeout": "succeeded", "tok_error": "error"}
"""What a token leads to; any other is declined."""

_TABLE = """
    CREATE TABLE IF NOT EXISTS charge (
        key uuid PRIMARY KEY,
        state text NOT NULL CHECK (state IN ('succeeded', 'declined', 'error', 'voided', 'refunded')),
        amount bigint CHECK (amount >= 0),
        currency text,
        created timestamptz NOT NULL DEFAULT now(),
        updated timestamptz NOT NULL DEFAULT now()
    )
"""
_COLUMNS = "key::text, state, amount, currency"


class Conflict(Exception):
    """The key was used for another amount, or its state forbids this."""


class Charges:
    """The table of charges. Connections are pooled; one that broke is thrown away."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._idle = list[Connection]()

    def make_table(self) -> None:
        """Creates the table where it is not there yet."""
        with self._cursor() as cursor:
            cursor.execute(_TABLE)

    def charge(self, key: str, amount: int, currency: str, token: str) -> dict[str, Any]:
        """Charges once; a known key answers what became of it. Raises ``Conflict`` for another amount."""
        state = OUTCOMES.get(token, "declined")
        with self._cursor() as cursor:
            cursor.execute(
                f"INSERT INTO charge (key, state, amount, currency) VALUES (%s, %s, %s, %s)"
                f" ON CONFLICT (key) DO NOTHING RETURNING {_COLUMNS}",
                [key, state, amount, currency],
            )
            row = cursor.fetchone()
        found = _document(row) if row else self.find(key)
        assert found is not None
        if found["state"] != "voided" and (found["amount"], found["currency"]) != (amount, currency):
            raise Conflict("This key was used for another amount.")
        return found

    def find(self, key: str) -> dict[str, Any] | None:
        """What became of the key; None for one that was never heard of."""
        with self._cursor() as cursor:
            cursor.execute(f"SELECT {_COLUMNS} FROM charge WHERE key = %s", [key])
            row = cursor.fetchone()
        return _document(row) if row else None

    def void(self, key: str) -> dict[str, Any]:
        """Nothing is charged under the key, now or later: an unknown key is remembered as void."""
        with self._cursor() as cursor:
            cursor.execute(
                f"""INSERT INTO charge (key, state) VALUES (%s, 'voided') ON CONFLICT (key) DO UPDATE
                    SET state = CASE charge.state WHEN 'succeeded' THEN 'voided' ELSE charge.state END, updated = now()
                    RETURNING {_COLUMNS}""",
                [key],
            )
            return _document(cursor.fetchone())

    def refund(self, key: str) -> dict[str, Any]:
        """Gives a charge back, once. Raises ``Conflict`` where nothing was charged."""
        with self._cursor() as cursor:
            cursor.execute(
                "UPDATE charge SET state = 'refunded', updated = now() WHERE key = %s AND state = 'succeeded'", [key]
            )
        found = self.find(key)
        if found is None or found["state"] not in ("refunded", "voided"):
            raise Conflict("Nothing was charged under this key.")
        return found

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        try:
            connection = self._idle.pop()  # the one used last, which is warm
        except IndexError:
            connection = psycopg2.connect(self._url, connect_timeout=2, application_name="testpay")
            connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                yield cursor
        except psycopg2.Error:
            connection.close()
            raise
        self._idle.append(connection)


def _document(row: Any) -> dict[str, Any]:
    key, state, amount, currency = row
    return {"key": key, "state": state, "amount": amount, "currency": currency}
