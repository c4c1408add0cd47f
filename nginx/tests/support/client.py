"""Asking: a plain client that hides nothing, and bytes over a socket."""

import http.client
import json
import socket
import time
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """An answer with every header line as it came."""

    status: int
    lines: list[tuple[str, str]]
    body: bytes
    seconds: float

    def header(self, name: str) -> str | None:
        """The header's value, None without one; AssertionError when it came twice."""
        values = self.headers(name)
        assert len(values) < 2, f"{name} came {len(values)} times: {values}"
        return values[0] if values else None

    def headers(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for found, value in self.lines if found.lower() == name.lower()]

    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


def ask(
    port: int, path: str, method: str = "GET", headers: dict[str, str] | None = None, body: bytes | None = None
) -> Answer:
    """One request on a connection of its own. `path` is sent verbatim."""
    started = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        content = response.read()
        return Answer(response.status, response.getheaders(), content, time.monotonic() - started)
    finally:
        connection.close()


def raw(port: int, data: bytes, timeout: float = 15.0) -> bytes:
    """All that comes back for these bytes until the other side closes."""
    with socket.create_connection(("127.0.0.1", port), timeout) as connection:
        connection.sendall(data)
        received = b""
        try:
            while part := connection.recv(65536):
                received += part
        except ConnectionResetError:
            pass
        return received


def status_of(received: bytes) -> int:
    """The status code of a raw answer; 0 when the connection was closed without one."""
    return int(received.split(b" ", 2)[1]) if received.startswith(b"HTTP/") else 0
