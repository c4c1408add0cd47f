"""Who may call what: a service's routes.toml, held against its URL configuration and proven by real calls.

A cell is one caller at one route. Refused calls must leave every table as it was; calls that are let in are undone.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from chassis.testing.environment import SERVICES

STAFF = ("catalogue", "warehouse", "orders", "support", "shop-owner")
CALLERS = ("nobody", "owner", "another", *STAFF, *(f"{name}-service" for name in SERVICES))
GROUPS: dict[str, tuple[str, ...]] = {
    "everyone": CALLERS,
    "customers": ("owner", "another", *STAFF),
    "staff": STAFF,
    "services": tuple(f"{name}-service" for name in SERVICES),
}
_METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Rule:
    """One row of the table: a route, who may, what they get, and what a call of it looks like."""

    route: str
    may: frozenset[str]
    status: int
    """What those who may get."""
    refused: Mapping[str, int]
    """What the others get, by caller or group, where it is not 401 for nobody and 403 for who is known."""
    values: Mapping[str, str]
    """What a name in the path stands for, where it is another value of the test's than that of the same name."""
    query: str
    body: Any
    headers: Mapping[str, str]

    def expected(self, caller: str) -> int:
        """The status of this cell."""
        if caller in self.may:
            return self.status
        for name in (caller, *(group for group, callers in GROUPS.items() if caller in callers)):
            if name in self.refused:
                return self.refused[name]
        return 401 if caller == "nobody" else 403


@dataclass
class World:
    """What a call needs: the callers' headers, what ``{id}`` and the like stand for, and bodies that are not JSON."""

    headers: dict[str, dict[str, str]]
    values: dict[str, str | Callable[[], str]] = field(default_factory=dict)
    """A callable is called for each call."""
    bodies: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    """By route: media type and content."""


def rules(path: Path | None = None) -> dict[str, Rule]:
    """The service's table, by route."""
    found = tomllib.loads((path or Path(settings.BASE_DIR) / "routes.toml").read_text(encoding="utf-8"))
    return {route: _rule(route, row) for route, row in found.items() if route != "admin"}


def doors() -> list[str]:
    """The pages of the service's admin that nobody has to be signed in for."""
    found = tomllib.loads((Path(settings.BASE_DIR) / "routes.toml").read_text(encoding="utf-8"))
    return list(found["admin"]["doors"])


def _rule(route: str, row: dict[str, Any]) -> Rule:
    may = frozenset(caller for name in row.pop("may") for caller in GROUPS.get(name, (name,)))
    if strange := may - set(CALLERS):
        raise ValueError(f"{route}: there is no caller {sorted(strange)}")
    options: dict[str, Any] = {
        "status": 200,
        "refused": {},
        "values": {},
        "query": "",
        "body": None,
        "headers": {},
    } | row
    return Rule(route=route, may=may, **options)


def in_urls() -> tuple[list[str], list[str]]:
    """Every route of the URL configuration, as ``METHOD path``: those of the API, and those of the admin."""
    api: list[str] = []
    admin: list[str] = []
    for path, view in sorted(_walk(get_resolver().url_patterns, "/"), key=lambda found: found[0]):
        target = admin if path.startswith(settings.ADMIN_PATH) else api
        target += [f"{method} {path}" for method in _methods(view, target is admin)]
    return list(dict.fromkeys(api)), list(dict.fromkeys(admin))


def _walk(patterns: Iterable[Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        here = prefix + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, here)
        elif isinstance(pattern, URLPattern):
            # A regular expression, as the admin has at its end, matches what is named by no other.
            yield re.sub(r"\(\?P\{url\}.*", "x", here), pattern.callback


def _methods(view: Any, admin: bool) -> list[str]:
    made_from = getattr(view, "cls", None) or getattr(view, "view_class", None)
    if admin:
        return ["GET", "POST"]
    if made_from is None:
        return ["GET"]
    return [name.upper() for name in _METHODS if hasattr(made_from, name)]


def prove(route: str, rule: Rule, world: World) -> None:
    """Calls the route as everybody; raises ``AssertionError`` for the first cell that is not as the table says."""
    # What a test makes for each call anew is made before, and once, for the calls that must change nothing.
    settled = {name: value if isinstance(value, str) else value() for name, value in world.values.items()}
    before = fingerprint()
    for caller in CALLERS:
        if caller not in rule.may:
            _is(route, rule, caller, call(route, rule, World(world.headers, {**settled}, world.bodies), caller))
    assert fingerprint() == before, f"{route}: a refused call changed {_changed(before)}"
    for caller in rule.may:
        with transaction.atomic():
            _is(route, rule, caller, call(route, rule, world, caller))
            transaction.set_rollback(True)


def prove_admin(world: World) -> int:
    """No token of the API opens a page of the admin, which has sessions of its own; returns the number of calls.

    Left out are the doors, where people sign in and out.
    """
    with connection.cursor() as cursor:  # most of the calls ask no database, and together they take a while
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    before, calls, open_to_all = fingerprint(), 0, doors()
    for route in in_urls()[1]:
        if route.partition(settings.ADMIN_PATH)[2] in open_to_all:
            continue
        for caller in ("nobody", "shop-owner", "orders-service") if route.startswith("GET") else ("shop-owner",):
            answer, calls = call(route, None, world, caller), calls + 1
            to_sign_in = answer.status_code == 302 and answer["Location"].startswith(settings.ADMIN_PATH)
            assert to_sign_in or answer.status_code in (403, 404, 405), f"{route} as {caller}: {answer.status_code}"
    assert fingerprint() == before, f"a refused call changed {_changed(before)}"
    return calls


def _is(route: str, rule: Rule, caller: str, answer: Any) -> None:
    expected = rule.expected(caller)
    assert answer.status_code == expected, (
        f"{route} as {caller}: {answer.status_code}, not {expected}: {answer.content[:300]!r}"
    )


def call(route: str, rule: Rule | None, world: World, caller: str) -> Any:
    """One call."""
    method, path = route.split(" ", 1)
    values = world.values | {name: world.values[other] for name, other in (rule.values if rule else {}).items()}
    headers = world.headers[caller] | dict(rule.headers if rule else {})
    media_type, content = world.bodies.get(route, ("application/json", b""))
    if rule and rule.body is not None:
        content = orjson.dumps(_filled(rule.body, values))
    return Client(raise_request_exception=False).generic(
        method,
        _filled(f"{path}?{rule.query if rule else ''}", values),
        content,
        content_type=media_type,
        headers=headers,
    )


def _filled(value: Any, values: Mapping[str, str | Callable[[], str]]) -> Any:
    def fill(match: re.Match[str]) -> str:
        found = values.get(match[1], "1")
        return found if isinstance(found, str) else found()

    if isinstance(value, str):
        return re.sub(r"\{(\w+)\}", fill, value)
    if isinstance(value, dict):
        return {name: _filled(inner, values) for name, inner in value.items()}
    return [_filled(inner, values) for inner in value] if isinstance(value, list) else value


def fingerprint() -> dict[str, str]:
    """The hash of every table's rows."""
    tables = connection.introspection.table_names()
    each = "SELECT '{0}', md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM \"{0}\" t"
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(each.format(table) for table in tables))
        return dict(cursor.fetchall())


def _changed(before: Mapping[str, str]) -> list[str]:
    return [table for table, now in fingerprint().items() if before.get(table) != now]
