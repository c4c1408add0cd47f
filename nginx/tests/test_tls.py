"""TLS and HTTP/2, when there is a certificate."""

import socket
import ssl
from pathlib import Path

import pytest

from tests.conftest import Start
from tests.support.client import status_of
from tests.support.processes import Gateway, free_port


@pytest.fixture
def secure(start: Start, certificate: tuple[str, str]) -> tuple[Gateway, int]:
    """A gateway with TLS, and its TLS port."""
    port = free_port()
    variables = {
        "GATEWAY_TLS_LISTEN": f"127.0.0.1:{port}",
        "TLS_CERTIFICATE": certificate[0],
        "TLS_CERTIFICATE_KEY": certificate[1],
    }
    return start(GATEWAY_TLS="on", DJANGO_ENV="production", **variables), port


def connect(port: int, authority: str, *protocols: str) -> ssl.SSLSocket:
    """A verified TLS connection that offers these protocols."""
    context = ssl.create_default_context(cafile=authority)
    context.set_alpn_protocols(list(protocols))
    plain = socket.create_connection(("127.0.0.1", port), 10)
    return context.wrap_socket(plain, server_hostname="localhost")


def read_all(connection: socket.socket) -> bytes:
    """What comes until the other side closes."""
    received = b""
    while part := connection.recv(65536):
        received += part
    return received


def test_http_1_1_over_tls(secure: tuple[Gateway, int], certificate: tuple[str, str]) -> None:
    with connect(secure[1], certificate[0], "http/1.1") as connection:
        assert connection.version() == "TLSv1.3"
        connection.sendall(b"GET /api/v1/carts/1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        received = read_all(connection)
    assert status_of(received) == 200
    assert b"Strict-Transport-Security: max-age=31536000" in received
    assert b'"x-forwarded-proto": "https"' in received


@pytest.mark.parametrize(("authority", "status"), [("localhost", b"\x88"), ("evil.example", b"\x8c")])
def test_http_2(secure: tuple[Gateway, int], certificate: tuple[str, str], authority: str, status: bytes) -> None:
    """The Host check holds for :authority too. 0x88 and 0x8c are `:status` 200 and 400 (RFC 7541, appendix A)."""
    with connect(secure[1], certificate[0], "h2", "http/1.1") as connection:
        assert connection.selected_alpn_protocol() == "h2"
        connection.sendall(
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
            + frame(4, 0, 0, b"")
            + frame(1, 5, 1, block("/api/v1/carts/1", authority))
        )
        headers, body = answer_on_stream_1(connection)
    assert headers.startswith(status)
    assert (b'"instance": "cart"' in body) == (authority == "localhost")
    if authority == "localhost":
        assert f'"host": "{authority}"'.encode() in body


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """An HTTP/2 frame (RFC 9113, section 4.1)."""
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def block(path: str, authority: str) -> bytes:
    """A GET's header block: method and scheme from the static table, path and authority as literals."""
    literals = b"".join(bytes([index, len(text)]) + text.encode() for index, text in ((4, path), (1, authority)))
    return b"\x82\x87" + literals


def answer_on_stream_1(connection: socket.socket) -> tuple[bytes, bytes]:
    """Header block and body of the answer; the last frame has END_STREAM."""
    stream, headers, body = connection.makefile("rb"), b"", b""
    while True:
        head = stream.read(9)
        payload = stream.read(int.from_bytes(head[:3], "big"))
        if head[3] in (0, 1):
            headers, body = (headers, body + payload) if head[3] == 0 else (payload, body)
            if head[4] & 1:
                return skip_table_size(headers), body


def skip_table_size(headers: bytes) -> bytes:
    """A block may begin with dynamic table size updates (001xxxxx)."""
    return skip_table_size(headers[1:]) if headers[0] & 0xE0 == 0x20 else headers


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_protocols_are_refused(
    secure: tuple[Gateway, int], certificate: tuple[str, str], version: ssl.TLSVersion
) -> None:
    context = ssl.create_default_context(cafile=certificate[0])
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSVersion"):
        context.minimum_version = context.maximum_version = version
    with (
        socket.create_connection(("127.0.0.1", secure[1]), 10) as plain,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        context.wrap_socket(plain, server_hostname="localhost")


def test_plain_http_on_the_tls_port_is_a_problem(secure: tuple[Gateway, int]) -> None:
    with socket.create_connection(("127.0.0.1", secure[1]), 10) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        received = read_all(connection)
    assert status_of(received) == 400
    assert b'"code":"malformed_request"' in received


def test_a_missing_certificate_stops_the_start_and_says_so(tmp_path: Path) -> None:
    gateway = Gateway(
        tmp_path, {}, GATEWAY_TLS="on", TLS_CERTIFICATE="/nowhere.pem", TLS_CERTIFICATE_KEY="/nowhere.pem"
    )
    with pytest.raises(AssertionError, match=r"cannot load certificate .*/nowhere\.pem"):
        gateway.start()
