"""A service that says what it got: a process of its own, so that it can be stopped, frozen and killed.

    python upstream.py PORT NAME [HOST]

Every path answers with the request as JSON.
PUT /control {"delay": seconds, "status": code, "headers": {…}, "value": any} changes the next answers; "hits" counts.
{"hang_up": n}: the nth request from now is not answered, as by a service that ends in the middle of it.
"document" is the answer at …/openapi.json.
"""

import json
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

NAME = ""
SETTINGS: dict[str, Any] = {"delay": 0.0, "status": 200, "headers": {}, "value": None, "document": None, "hang_up": 0}
HITS = READY_HITS = 0
LOCK = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    """Echoes requests."""

    protocol_version = "HTTP/1.1"
    timeout = 30
    wbufsize = -1

    def answer(self) -> None:
        """Answers any method."""
        global HITS, READY_HITS
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/control":
            SETTINGS.update(json.loads(body or b"{}"))
            return self.send(200, {"hits": HITS, "ready_hits": READY_HITS, **SETTINGS}, {})
        if self.path == "/readyz":
            READY_HITS += 1
            return self.send(200, {"status": "ready"}, {})
        with LOCK:
            HITS += 1
            SETTINGS["hang_up"] -= 1
            hang_up = SETTINGS["hang_up"] == 0
        if hang_up:
            self.close_connection = True
            return None
        if SETTINGS["document"] and self.path.endswith("openapi.json"):
            return self.send(200, SETTINGS["document"], {})
        status, headers, value = SETTINGS["status"], SETTINGS["headers"], SETTINGS["value"]
        time.sleep(SETTINGS["delay"])
        echo = {
            "instance": NAME,
            "method": self.command,
            "path": self.path,
            "connection": self.client_address[1],
            "headers": {name.lower(): text for name, text in self.headers.items()},
            "body": len(body),
            "value": value,
        }
        self.send(status, echo, headers)

    def send(self, status: int, document: dict[str, Any], headers: dict[str, str]) -> None:
        """One answer, as a service of Comptoir gives it."""
        content = b"" if status == 304 else json.dumps(document).encode()
        self.send_response(status)
        media = "application/json" if status < 400 else "application/problem+json"
        own = {"Content-Type": media, "X-Request-ID": self.headers.get("X-Request-ID", ""), "X-Served-By": NAME}
        for name, text in {**own, "X-Frame-Options": "SAMEORIGIN", **headers}.items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


class Server(ThreadingHTTPServer):
    """Takes bursts, and may take the port of one that was just killed."""

    request_queue_size = 1024
    allow_reuse_address = True
    daemon_threads = True

    def get_request(self) -> tuple[socket.socket, Any]:
        """Answers leave at once."""
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error of ours."""


if __name__ == "__main__":
    NAME = sys.argv[2]
    Server((sys.argv[3] if len(sys.argv) > 3 else "127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
