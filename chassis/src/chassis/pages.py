"""Lists in keyset (cursor) pages: page 1,000 costs what page 1 costs, and rows that come or go never shift a page.

A cursor is the base64url of the edge row's sort keys and a direction. See https://use-the-index-luke.com/no-offset.
"""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol, Self, TypeVar
from urllib.parse import urlencode

import orjson
from django.core.exceptions import ValidationError
from django.db import DataError, connection
from django.db.models import Model, Q, QuerySet
from rest_framework.request import Request

from chassis import prepared
from chassis.errors import Invalid
from chassis.fields import Query, QueryInteger, Text

Row = TypeVar("Row")
_M = TypeVar("_M", bound=Model)


class PageQuery(Query):
    """The query parameters every list takes: ``limit`` 1 to 100, default 20, and ``cursor``."""

    limit = QueryInteger(min_value=1, max_value=100, default=20, required=False)
    cursor = Text(max_length=1000, required=False, help_text="From `next` or `previous`; never one's own.")


class Ordered(Protocol):
    """A list that is no queryset; see ``Statement``."""

    def order_by(self, *names: str) -> Self:
        """Orders by sort keys; a leading ``-`` turns one around."""

    def beyond(self, names: Sequence[str], edge: Sequence[Any], comparison: str) -> Self:
        """Only rows whose sort keys are all ``lt`` or all ``gt`` those of the edge, whose values anybody may forge."""

    def __getitem__(self, part: slice, /) -> Sequence[Any]:
        """The first rows."""


MOST = 101
"""Rows of the largest page, and the one that says whether there are more."""


@dataclass(frozen=True)
class Statement:
    """A list as SQL, where the ORM takes longer to put a query together than PostgreSQL to answer it.

    ``sql`` ends in a WHERE clause, holds ``%(name)s`` for each of ``values``, and selects the sort keys among others;
    ``types`` names the sort keys with their SQL types. A ``prepared`` one is planned once a connection, knowing no
    value: for lists whose plan is the same whatever is asked.
    """

    sql: str
    values: Mapping[str, Any]
    types: Mapping[str, str]
    prepared: bool = False
    order: tuple[str, ...] = ()

    def order_by(self, *names: str) -> Self:
        """Orders by columns; a leading ``-`` turns one around."""
        return replace(self, order=names)

    def beyond(self, names: Sequence[str], edge: Sequence[Any], comparison: str) -> Self:
        """Only rows whose sort keys are all ``lt`` or all ``gt`` those of the edge."""
        # As text, so that PostgreSQL reads each as its column's type: a forged one is a DataError. But it may not look
        # at the last one, a number, unless there are ties.
        reads = {name: int if self.types[name] in ("integer", "bigint") else str for name in names}
        values = {f"edge_{name}": reads[name](str(value)) for name, value in zip(names, edge, strict=True)}
        marks = ", ".join(f"%(edge_{name})s::{self.types[name]}" for name in names)
        sql = f"{self.sql} AND ({', '.join(names)}) {'<' if comparison == 'lt' else '>'} ({marks})"
        return replace(self, sql=sql, values={**self.values, **values})

    def __getitem__(self, part: slice) -> list[dict[str, Any]]:
        """The first rows."""
        order = ", ".join(f"{name.lstrip('-')}{' DESC' if name.startswith('-') else ''}" for name in self.order)
        # Two limits: the plan is made for the constant one, and is the same for pages of any size.
        sql = f"SELECT * FROM ({self.sql} ORDER BY {order} LIMIT {MOST}) page ORDER BY {order} LIMIT %(limit)s"
        values = {**self.values, "limit": part.stop}
        with connection.cursor() as cursor:
            prepared.execute(cursor, sql, values) if self.prepared else cursor.execute(sql, values)
            names = [column.name for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def page(
    request: Request,
    query: "QuerySet[Any, Any] | Ordered",
    *,
    keys: Sequence[str],
    limit: int,
    cursor: str | None,
    render: Callable[[list[Any]], list[Any]],
) -> dict[str, Any]:
    """One page of ``query`` as ``{"results", "next", "previous"}``.

    ``keys`` are the sort keys, the last one unique; a leading ``-`` on the first turns all of them around, so that one
    index serves both directions. Rows may be instances or dicts (``.values()``). Raises ``Invalid`` for a cursor that
    is not one of ours.
    """
    names = [key.lstrip("-") for key in keys]
    descending = keys[0].startswith("-")
    backwards, edge = _decode(cursor, len(names)) if cursor else (False, None)
    order = [("-" if descending != backwards else "") + name for name in names]
    query = query.order_by(*order)
    try:
        if edge is not None:
            comparison = "lt" if descending != backwards else "gt"
            if isinstance(query, QuerySet):
                query = query.filter(_beyond(names, edge, comparison))
            else:
                query = query.beyond(names, edge, comparison)
        rows = list(query[: limit + 1])
    except (ValueError, TypeError, ValidationError, DataError):  # a forged cursor whose values do not fit the columns
        raise Invalid("cursor", "This cursor is not one of ours. Start again without one.") from None
    more, rows = len(rows) > limit, rows[:limit]
    if backwards:
        rows.reverse()
    after = bool(rows) and (more or backwards)
    before = bool(rows) and (more if backwards else edge is not None)
    return {
        "results": render(rows),
        "next": _link(request, _encode(rows[-1], names, backwards=False)) if after else None,
        "previous": _link(request, _encode(rows[0], names, backwards=True)) if before else None,
    }


def _beyond(names: Sequence[str], edge: Sequence[Any], comparison: str) -> Q:
    """(a, b) > (x, y) as ``a >= x AND (a > x OR b > y)``: the first term is what an index can use."""
    first, value = names[0], edge[0]
    if len(names) == 1:
        return Q(**{f"{first}__{comparison}": value})
    return Q(**{f"{first}__{comparison}e": value}) & (
        Q(**{f"{first}__{comparison}": value}) | _beyond(names[1:], edge[1:], comparison)
    )


def _encode(row: Any, names: Sequence[str], *, backwards: bool) -> str:
    values = [row[name] if isinstance(row, Mapping) else getattr(row, name) for name in names]
    return base64.urlsafe_b64encode(orjson.dumps([backwards, *values], default=str)).decode().rstrip("=")


def _decode(cursor: str, count: int) -> tuple[bool, list[Any]]:
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        backwards, *values = orjson.loads(raw)
    except (ValueError, TypeError, binascii.Error):
        values, backwards = [], None
    if not isinstance(backwards, bool) or len(values) != count or not all(map(_plain, values)):
        raise Invalid("cursor", "This cursor is not one of ours. Start again without one.")
    return backwards, values


def _plain(value: Any) -> bool:
    return (isinstance(value, str) and "\0" not in value) or (isinstance(value, (int, float)) and abs(value) < 2**63)


def _link(request: Request, cursor: str) -> str:
    query = request.query_params.copy()
    query["cursor"] = cursor
    return request.build_absolute_uri(f"{request.path}?{urlencode(list(query.lists()), doseq=True)}")


def rfc3339(moment: datetime | None) -> str | None:
    """A time as the contract writes it: RFC 3339, UTC, with a Z."""
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
