"""Keyset pages over a real table: idempotency records, which are the one the chassis has."""

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from chassis.errors import Invalid
from chassis.idempotency.models import IdempotencyRecord as Row
from chassis.pages import Statement, page, rfc3339

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def rows(*hours):
    """One row for each; the same hour twice is a tie."""
    for number, hour in enumerate(hours):
        Row.objects.create(scope="s", key=f"k{number}", fingerprint="f", created=NOON + timedelta(hours=hour))


def by_orm():
    return Row.objects.filter(scope="s").values("id", "key", "created")


def by_sql(prepared=False):
    sql = "SELECT id, key, created FROM idempotency_idempotencyrecord WHERE scope = %(scope)s"
    types = {"id": "bigint", "key": "text", "created": "timestamptz"}
    return Statement(sql, {"scope": "s"}, types, prepared)


def by_prepared_sql():
    return by_sql(prepared=True)


listed = by_orm


@pytest.fixture(autouse=True, params=[by_orm, by_sql, by_prepared_sql])
def source(request, monkeypatch):
    """Every kind of list has to do the same."""
    monkeypatch.setitem(globals(), "listed", request.param)


def look(url="/list?q=a&q=b", keys=("-created", "-id"), limit=2):
    cursor = parse_qs(urlsplit(url).query).get("cursor", [None])[0]
    request = Request(APIRequestFactory().get(url))
    render = lambda found: [row["key"] for row in found]  # noqa: E731
    return page(request, listed(), keys=keys, limit=limit, cursor=cursor, render=render)


def walk(found, direction, **how):
    pages = [found["results"]]
    while found[direction]:
        found = look(found[direction], **how)
        pages.append(found["results"])
    return found, pages


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (("-created", "-id"), [["k4", "k2"], ["k1", "k3"], ["k0"]]),
        (("created", "id"), [["k0", "k3"], ["k1", "k2"], ["k4"]]),
        (("key",), [["k0", "k1"], ["k2", "k3"], ["k4"]]),
        (("-key",), [["k4", "k3"], ["k2", "k1"], ["k0"]]),
    ],
)
def test_there_and_back_again_with_ties(keys, expected):
    rows(0, 1, 1, 0, 2)
    first = look(keys=keys)
    assert first["previous"] is None
    last, pages = walk(first, "next", keys=keys)
    assert pages == expected
    assert last["next"] is None
    back, pages = walk(last, "previous", keys=keys)
    assert pages[:2] == [expected[2], expected[1]]
    assert pages[-1] == expected[0]
    assert back["previous"] is None


def test_links_keep_the_query():
    rows(0, 1, 2)
    link = urlsplit(look()["next"])
    assert (link.scheme, link.netloc, link.path) == ("http", "testserver", "/list")
    assert parse_qs(link.query)["q"] == ["a", "b"]


def test_rows_that_come_and_go_shift_no_page():
    rows(0, 1, 2, 3)
    first = look()
    assert first["results"] == ["k3", "k2"]
    Row.objects.filter(key="k2").delete()
    Row.objects.create(scope="s", key="new", fingerprint="f", created=NOON + timedelta(hours=9))
    assert look(first["next"])["results"] == ["k1", "k0"]


def test_nothing_is_one_empty_page():
    assert look() == {"results": [], "next": None, "previous": None}


def test_exactly_a_page_has_no_next():
    rows(0, 1)
    assert look()["next"] is None


def test_a_page_is_one_query(django_assert_num_queries):
    rows(*range(5))
    link = look()["next"]
    with django_assert_num_queries(1):
        look(link)


def forged(value):
    return base64.urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    ["x", "é", "%00", "AAAA", "[]"]
    + [
        forged(value)
        for value in (
            [],
            [False],
            [False, 1],
            [0, "2026-01-01", 1],
            [False, "some day", 1],
            [False, "2026-13-45", 1],
            [False, 1, 1],
            [False, 1.5, 1],
            [False, "2026-01-01T00:00:00Z", "x"],
            [False, None, 1],
            [False, {"a": 1}, 1],
            [False, "a\0", 1],
            [False, "2026-01-01T00:00:00Z", 10**18 * 9.9],
            {"a": 1},
            [False, "2026-01-01T00:00:00Z", 1, 2],
        )
    ],
)
@pytest.mark.django_db(transaction=True)
def test_a_forged_cursor_is_named(cursor):
    rows(0)
    with pytest.raises(Invalid) as refusal:
        look(f"/list?cursor={cursor}")
    assert [error["field"] for error in refusal.value.errors or []] == ["cursor"]


def test_times_are_rfc_3339_in_utc():
    assert rfc3339(NOON) == "2026-01-01T12:00:00Z"
    assert rfc3339(None) is None
