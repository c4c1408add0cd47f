"""Whoever reads a request, gunicorn's parser or the short way past it, reads the same, and refuses the same."""

from contextlib import suppress
from itertools import product

import pytest
from gunicorn.config import Config  # type: ignore[import-untyped]
from gunicorn.http import message, parser  # type: ignore[import-untyped]
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]
from hypothesis import example, given
from hypothesis import strategies as st

from chassis.request_parser import Parser, Request

FROM = ("10.0.0.1", 4711)
PLAIN = (
    b"POST /api/v1/carts/1/lines?a=1&b=%20 HTTP/1.1\r\nHost: shop:8080\r\nX-Forwarded-Proto: https\r\n"
    b"Content-Type: application/json\r\nX-Empty:\r\nX-Padded:  two  words \r\nContent-Length: 2\r\n\r\n{}"
)
PARTS = {
    "method": [b"GET", b"get", b"GE", b"OPTIONS", b"G@T", b"A" * 21],
    "target": [
        b"/",
        b"/a?b=c?d",
        b"//a/b",
        b"/a//b",
        b"/a#b?c",
        b"*",
        b"http://x/y",
        b"/\xe4",
        b"/a b",
        b"",
        b"/a[b:c]@d",
    ],
    "version": [b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/1.1 "],
}
FIELDS = [
    b"Host: a",
    b"Host: b",
    b"host:a",
    b"X_Forwarded_For: 1",
    b"X-A:\tb\t",
    b"X-A: b\x00",
    b"X-A: \xff",
    b"X-A : b",
    b" X-A: b",
    b"X-A",
    b": b",
    b"X-A: b\r\n c",
    b"X-A: b\nX-B: c",
    b"X-A: b",
    b"X-A: c",
    b"X-!A: b",
    b"Expect: 100-continue",
    b"Expect: cake",
    b"Content-Length: 2",
    b"Content-Length: -2",
    b"Content-Length: two",
    b"Content-Length: 2, 2",
    b"Transfer-Encoding: chunked",
    b"X-Forwarded-Proto: https",
    b"X-Forwarded-Proto: http",
    b"X-Forwarded-Ssl: on",
    b"Connection: close",
    b"Connection: keep-alive",
    b"X-Long: " + b"a" * 4100,
    b"X-Longer: " + b"a" * 8200,
]


def config(**settings):
    made = Config()
    for name, value in ({"forwarded_allow_ips": "*"} | settings).items():
        made.set(name, value)
    return made


def read_by(kind, data, cfg, pieces):
    """What the requests in the data are to this parser: what it says of each, or why it goes no further."""
    told: list[object] = []
    step = -(-len(data) // pieces)
    source = iter([data[at : at + step] for at in range(0, len(data), step)])
    try:
        for request in kind(cfg, source, FROM):
            fields = (
                "method",
                "uri",
                "path",
                "query",
                "fragment",
                "version",
                "headers",
                "scheme",
                "_expected_100_continue",
            )
            told.append({name: getattr(request, name) for name in fields})
            told.append((request.body.read(), request.should_close()))
    except Exception as error:
        told.append((type(error), str(error)))
    return told


def same(data, **settings):
    cfg = config(**settings)
    for pieces in (1, 3):
        assert read_by(Parser, data, cfg, pieces) == read_by(parser.RequestParser, data, cfg, pieces)


@pytest.fixture
def left_to_gunicorn(monkeypatch):
    """The requests that took the long way."""
    taken, parse = [], message.Request.parse

    def noted(self, unreader):
        taken.append(self)
        return parse(self, unreader)

    monkeypatch.setattr(message.Request, "parse", noted)
    return taken


def test_a_plain_request_takes_the_short_way(left_to_gunicorn):
    request = next(Parser(config(), iter([PLAIN]), FROM))
    assert (request.method, request.path, request.query) == ("POST", "/api/v1/carts/1/lines", "a=1&b=%20")
    assert request.headers[-3:] == [("X-EMPTY", ""), ("X-PADDED", "two  words"), ("CONTENT-LENGTH", "2")]
    assert (request.scheme, request.body.read()) == ("https", b"{}")
    assert not left_to_gunicorn


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nExpect: 100-continue\r\n\r\n",
        b"GET / HTTP/1.1\r\nX_A: b\r\n\r\n",
        b"GET / HTTP/1.0\r\nHost: a\r\n\r\n",
        b"GET // HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"A%d: b\r\n" % n for n in range(101)) + b"\r\n",
    ],
)
def test_whatever_needs_a_decision_is_left_to_gunicorn(head, left_to_gunicorn):
    with suppress(ParseException):
        next(Parser(config(), iter([head]), FROM))
    assert left_to_gunicorn
    same(head)


@pytest.mark.parametrize("part", list(product(*PARTS.values())), ids=lambda part: b" ".join(part).decode("latin-1"))
def test_any_request_line_is_read_as_gunicorn_reads_it(part):
    same(b" ".join(part) + b"\r\nHost: a\r\n\r\n")


@given(
    st.lists(st.sampled_from(FIELDS), max_size=4), st.sampled_from([b"", b"{}", b"2\r\n{}\r\n0\r\n\r\n"]), st.booleans()
)
@example([b"Content-Length: 2", b"Transfer-Encoding: chunked"], b"{}", True)
@example([b"X-Forwarded-Proto: https", b"X-Forwarded-Ssl: off"], b"", True)
def test_any_fields_are_read_as_gunicorn_reads_them(fields, body, trusted):
    head = b"\r\n".join([b"PUT /a HTTP/1.1", *fields])
    same(head + b"\r\n\r\n" + body + PLAIN, forwarded_allow_ips="*" if trusted else "192.0.2.1")


@given(st.integers(0, len(PLAIN) - 1), st.binary(max_size=3), st.integers(0, 3))
def test_a_damaged_request_is_read_as_gunicorn_reads_it(at, put, out):
    same(PLAIN[:at] + put + PLAIN[at + out :] + PLAIN)


def test_nothing_is_read_where_nothing_is_left_of_a_body():
    cfg = config()
    requests = Parser(cfg, iter([PLAIN]), FROM)
    request = next(requests)
    assert isinstance(request, Request)
    request.body.read(2)
    requests.unreader.chunk = None  # would fail
    assert requests.finish_body() is True


def test_what_is_left_of_a_body_is_no_request():
    requests = Parser(config(), iter([PLAIN, PLAIN]), FROM)
    assert [request.path for request in requests] == ["/api/v1/carts/1/lines"] * 2
