"""A client that costs next to nothing, since it shares the machine with what it measures: a socket and little else."""

import json
import re
import socket
from dataclasses import dataclass
from typing import Any

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.I)
_CLOSE = re.compile(rb"\r\nconnection: *close", re.I)
TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Answer:
    """Status (0: no answer came), head and body as they came."""

    status: int
    head: bytes = b""
    body: bytes = b""

    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)

    def header(self, name: str) -> str:
        """A header's value, empty where there is none."""
        found = re.search(rb"\r\n" + name.encode() + rb": *([^\r]*)", self.head, re.I)
        return found[1].decode() if found else ""

    @property
    def kind(self) -> str:
        """What to count a refusal or a fault by: the status and the problem's code."""
        if self.header("content-type").startswith("application/problem+json"):
            return f"{self.status} {self.json().get('code', '')}"
        return str(self.status) if self.status else "no answer"


class Wire:
    """One connection to one address, kept alive, made anew where the other side closed it. Not for several threads."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._address = (host, port)
        self._socket: socket.socket | None = None

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Sends one request and reads its answer. ``Authorization="…"``; an underscore stands for a hyphen."""
        data = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        content = f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n" if data else ""
        if not data and method in ("POST", "PUT"):
            content = "Content-Length: 0\r\n"
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{lines}{content}\r\n"
        try:
            return self._exchange(head.encode() + data)
        except OSError:
            self.close()
            return Answer(0)

    def close(self) -> None:
        """Ends the connection; the next request makes another one."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def _exchange(self, request: bytes) -> Answer:
        if self._socket is None:
            self._socket = socket.create_connection(self._address, timeout=TIMEOUT_SECONDS)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(request)
        data = b""
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._received()
        head, rest = data[:end], data[end + 4 :]
        body = self._chunks(rest) if _CHUNKED.search(head) else self._whole(head, rest)
        if _CLOSE.search(head):
            self.close()
        return Answer(int(head[9:12]), head, body)

    def _whole(self, head: bytes, body: bytes) -> bytes:
        found = _LENGTH.search(head)
        length = int(found[1]) if found else 0
        while len(body) < length:
            body += self._received()
        return body[:length]

    def _chunks(self, data: bytes) -> bytes:
        body = b""
        while True:
            while (end := data.find(b"\r\n")) < 0:
                data += self._received()
            length = int(data[:end], 16)
            while len(data) < end + 2 + length + 2:
                data += self._received()
            if not length:
                return body
            body += data[end + 2 : end + 2 + length]
            data = data[end + 2 + length + 2 :]

    def _received(self) -> bytes:
        assert self._socket is not None
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError("closed by the other side")
        return data
