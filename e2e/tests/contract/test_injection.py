"""What people type who want in: SQL, header lines, paths and templates, at every place that takes text.

Nothing of it is an error of ours, nothing of it is carried out, and what is kept is kept as it was typed.
"""

import socket
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import uuid4

import pytest

from support.people import ADDRESS, Person, Staff

SQL = [
    "' OR '1'='1",
    "'; DROP TABLE products_product; --",
    "1); SELECT pg_sleep(5); --",
    "\\' UNION SELECT password FROM customers_customer --",
    "$$; COPY t TO PROGRAM 'id' $$",
    "%s %(x)s {0} {{7*7}} ${jndi:ldap://127.0.0.1/x}",
    "<script>alert(1)</script>",
    "../../../../etc/passwd",
    "a\\u0000b%00",
]
EXACT = ("/products?brand", "/products?category", "/orders?q")
PLACES = [
    "/products?q={}",
    "/products?category={}",
    "/products?brand={}",
    "/products?ordering={}",
    "/products?min_price={}",
    "/products?cursor={}",
    "/products/{}",
    "/products/facets?q={}",
    "/stock?sku={}",
    "/stock/{}",
    "/carts/{}",
    "/orders?q={}",
    "/orders?status={}",
    "/orders?cursor={}",
    "/orders/{}",
    "/customers/verify-email?token={}",
]


@pytest.mark.parametrize("place", PLACES)
def test_sql_and_the_like_in_an_address_is_text(staff: Staff, place: str) -> None:
    for text in SQL:
        answer = staff.get(place.format(quote(text, safe="")))
        assert answer.status in (200, 400, 404), (text, answer)
        # A search may find goods with one of the words; what has to be equal finds nothing.
        if answer.status == 200 and place.startswith(EXACT):
            assert answer.data["results"] == [], (text, answer)


@pytest.mark.parametrize("text", SQL)
def test_sql_and_the_like_in_a_body_is_kept_as_text(customer: Person, guest: Person, text: str) -> None:
    place: dict[str, Any] = ADDRESS | {"line1": text, "city": "x"}
    made = customer.post("/customers/me/addresses", place)
    if made.status == 201:
        assert customer.get(f"/customers/me/addresses/{made.data['id']}").ok()["line1"] == text
    else:
        assert made.status == 400, made
    wrong = guest.post("/customers/token", {"email": "ada@example.com", "password": text})
    assert wrong.status in (400, 401, 429), wrong
    assert guest.post("/customers/token/refresh", {"refresh": text}).status == 401


def raw(url: str, request: bytes) -> bytes:
    """The whole answer to bytes that no decent client would send."""
    there = urlsplit(url)
    with socket.create_connection((there.hostname or "", there.port or 80), 10) as connection:
        connection.sendall(request)
        connection.settimeout(10)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
        return answer


@pytest.mark.parametrize(
    "line",
    [
        b"X-Request-ID: a\r\n Set-Cookie: evil=1",
        b"X-Request-ID: a\nSet-Cookie: evil=1",
        b"X-Request-ID: a%0d%0aSet-Cookie: evil=1",
        b"Idempotency-Key: a\r\n\tSet-Cookie: evil=1",
        b"Authorization: Bearer a\r\n b",
        b"Origin: https://evil.example\r\nAccess-Control-Allow-Origin: *",
    ],
)
def test_a_header_line_that_is_smuggled_in_comes_out_nowhere(target_url: str, line: bytes) -> None:
    host = urlsplit(target_url).netloc.encode()
    for path in (b"/api/v1/products?limit=1", b"/api/v1/stock/A%0d%0aSet-Cookie:%20evil=1"):
        request = b"GET " + path + b" HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n" + line + b"\r\n\r\n"
        head = raw(target_url, request).partition(b"\r\n\r\n")[0].lower()
        assert head.startswith(b"http/1.1 "), head[:100]
        assert b"\r\nset-cookie: evil" not in head
        assert b"evil.example" not in head
        assert not head.startswith(b"http/1.1 5"), head[:100]


def test_a_name_with_line_breaks_writes_no_header_into_a_mail(guest: Person) -> None:
    body = {
        "email": f"{uuid4().hex}@example.com",
        "password": "a horse, a staple",
        "name": "Ada\r\nBcc: all@example.com",
    }
    guest.post("/customers", body).refused(400, "invalid", "name")
