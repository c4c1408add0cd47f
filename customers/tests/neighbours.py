"""Cart and orders as far as customers needs them: a real HTTP server that answers as their contracts say."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import orjson
from chassis.tokens import service_keys
from joserfc import jwt


@dataclass
class Neighbours:
    """What they hold, by service and customer. A service in ``down`` answers 503; ``under_way`` keeps orders busy."""

    url: str = ""
    held: dict[tuple[str, str], Any] = field(default_factory=dict)
    down: set[str] = field(default_factory=set)
    under_way: bool = False
    calls: list[tuple[str, str]] = field(default_factory=list)

    def answer(self, method: str, service: str, customer: str) -> tuple[int, Any]:
        """What the service says."""
        self.calls.append((method, service))
        if service in self.down:
            return 503, {"code": "database_unavailable"}
        if method == "GET":
            return 200, {{"cart": "carts", "orders": "orders"}[service]: self.held.get((service, customer), [])}
        if service == "orders" and self.under_way:
            return 409, {"code": "orders_under_way"}
        self.held.pop((service, customer), None)
        return 204, None


@contextmanager
def running(neighbours: Neighbours) -> Iterator[dict[str, str]]:
    """Servers at ports of their own; gives the URLs by variable."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # the body does not wait 40 ms until the headers are acknowledged

        def do_GET(self) -> None:
            service: str = self.server.name  # type: ignore[attr-defined]
            token = self.headers["Authorization"].removeprefix("Bearer ")
            claims = jwt.decode(token, service_keys()["customers"], algorithms=["RS256"]).claims
            head, customer = self.path.rsplit("/", 1)
            assert (head, claims["aud"]) == ("/internal/customers", service)
            status, body = neighbours.answer(self.command, service, customer)
            content = b"" if body is None else orjson.dumps(body)
            self.send_response(status)
            if status != 204:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_DELETE = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    servers = {}
    for name in ("cart", "orders"):
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads, server.name = True, name  # type: ignore[attr-defined]
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        servers[name] = server
    try:
        yield {f"{name.upper()}_URL": f"http://127.0.0.1:{each.server_port}" for name, each in servers.items()}
    finally:
        for each in servers.values():
            each.shutdown()
            each.server_close()
