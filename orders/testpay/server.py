"""The provider's HTTP interface.

    POST /charges {"key", "amount", "currency", "token"}    GET /charges/{key}    POST /charges/{key}/void|refund

``tok_ok`` is charged, ``tok_declined`` is not, ``tok_error`` is not and answers 500, ``tok_timeout`` is charged and its
answer lost: the connection is closed without a word.
"""

import hmac
import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psycopg2

from testpay.charges import Charges, Conflict

_PATH = re.compile(r"/charges/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:/(void|refund))?")


class Server(ThreadingHTTPServer):
    """The HTTP server, its charges, and the secret that its one customer shares with it."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], charges: Charges, secret: str) -> None:
        super().__init__(address, Handler)
        self.charges, self.secret = charges, secret


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body go in one piece
    server: Server

    def do_GET(self) -> None:
        """Health without a secret; a charge with it."""
        if self.path == "/livez":
            return self._answer(200, {"status": "ok"})
        self._handle(None)

    def do_POST(self) -> None:
        """A charge, a void, a refund."""
        length = self.headers.get("Content-Length", "0")
        self._handle(self.rfile.read(int(length)) if length.isdigit() and int(length) < 10_000 else b"")

    def _handle(self, body: bytes | None) -> None:
        given = self.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {self.server.secret}".encode()):
            return self._answer(401, {"detail": "Send the secret as a bearer token."})
        try:
            self._route(body)
        except (ValueError, KeyError, TypeError):
            self._answer(400, {"detail": "The request is not understood."})
        except Conflict as conflict:
            self._answer(409, {"detail": str(conflict)})
        except psycopg2.Error:
            self._answer(503, {"detail": "The provider's database does not answer."})

    def _route(self, body: bytes | None) -> None:
        charges, match = self.server.charges, _PATH.fullmatch(self.path)
        if self.path == "/charges" and body is not None:
            return self._charge(json.loads(body))
        if match is None or (body is None) != (match[2] is None):
            return self._answer(404, {"detail": "There is nothing here."})
        if body is None:
            found = charges.find(match[1])
            return self._answer(200, found) if found else self._answer(404, {"detail": "Never heard of this key."})
        self._answer(200, charges.void(match[1]) if match[2] == "void" else charges.refund(match[1]))

    def _charge(self, wanted: dict[str, Any]) -> None:
        token = str(wanted["token"])
        found = self.server.charges.charge(wanted["key"], wanted["amount"], wanted["currency"], token)
        if token == "tok_timeout":  # noqa: S105
            self.close_connection = True
        elif found["state"] == "error":
            self._answer(500, {"detail": "Something went wrong at the provider."})
        else:
            self._answer(200, found)

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: orders logs its calls."""
