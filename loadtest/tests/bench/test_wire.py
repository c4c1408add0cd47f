"""The lean client against a real server: bodies with a length and in chunks, and connections that go away."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from loadtest.bench.wire import Wire


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Key", self.headers.get("Idempotency-Key", ""))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self.send_response(409 if self.path == "/refused" else 200)
        self.send_header("Transfer-Encoding", "chunked")
        if self.path == "/refused":
            self.send_header("Content-Type", "application/problem+json")
        if self.path == "/closing":
            self.send_header("Connection", "close")
        self.end_headers()
        for part in (b'{"code": ', b'"cart_empty"}'):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def wire() -> Iterator[Wire]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    wire = Wire(server.server_address[1])
    yield wire
    wire.close()
    server.shutdown()
    server.server_close()


def test_a_body_there_and_back(wire: Wire) -> None:
    answer = wire.ask("POST", "/", {"name": "x" * 200_000}, Idempotency_Key="k1")
    assert (answer.status, answer.header("x-key"), len(answer.json()["name"])) == (201, "k1", 200_000)
    assert wire.ask("POST", "/").body == b""


def test_chunks_and_connections_that_are_closed(wire: Wire) -> None:
    for path in ("/", "/closing", "/"):
        assert wire.ask("GET", path).json() == {"code": "cart_empty"}


def test_what_a_refusal_is_counted_by(wire: Wire) -> None:
    assert wire.ask("GET", "/refused").kind == "409 cart_empty"
    wire.close()
    assert Wire(1).ask("GET", "/").kind == "no answer"
