"""Products and stock as far as carts need them: a real HTTP server that answers as their contracts say."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Barrier, BrokenBarrierError, Thread
from typing import Any

import orjson
from chassis.tokens import service_keys
from joserfc import jwt


@dataclass
class Neighbours:
    """The goods on sale, and what was asked about them. A service in ``down`` answers 503."""

    url: str = ""
    goods: dict[str, dict[str, Any]] = field(default_factory=dict)
    shelf: dict[str, int] = field(default_factory=dict)
    down: set[str] = field(default_factory=set)
    calls: list[tuple[str, list[str]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    together: Barrier | None = None
    """Where set, a call is answered only when another one is under way at the same time."""

    def sell(self, sku: str, price: int, there: int = 10, *, currency: str = "USD", sellable: bool = True) -> None:
        """Puts goods on sale, or changes them."""
        self.goods[sku] = {
            "sku": sku,
            "name": f"Goods {sku}",
            "price": {"amount": price, "currency": currency},
            "image": None,
            "slug": sku.lower(),
            "sellable": sellable,
        }
        self.shelf[sku] = there

    def answer(self, path: str, skus: list[str]) -> tuple[int, Any]:
        """What the service at that path says."""
        service = {"/internal/variants": "products", "/internal/availability": "stock"}[path]
        if service in self.down:
            return 503, {"code": "database_unavailable"}
        if len(skus) > 1000 or not skus:
            return 400, {"code": "invalid"}
        if service == "products":
            return 200, {"variants": [self.goods[sku] for sku in skus if sku in self.goods]}
        return 200, {"results": [{"sku": sku, "available": self.shelf.get(sku, 0)} for sku in skus]}


class ManyAtOnce(ThreadingHTTPServer):
    """Takes more than five connections at a time, and keeps no test waiting at its end."""

    request_queue_size = 128
    daemon_threads = True


@contextmanager
def running(neighbours: Neighbours) -> Iterator[None]:
    """The server at a port of its own, for both services."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # the body does not wait 40 ms until the headers are acknowledged

        def do_POST(self) -> None:
            skus = orjson.loads(self.rfile.read(int(self.headers["Content-Length"])))["skus"]
            neighbours.calls.append((self.path, skus))
            neighbours.headers.append(dict(self.headers))
            status, body = neighbours.answer(self.path, skus) if self.allowed() else (401, {"code": "invalid_token"})
            if neighbours.together:
                try:
                    neighbours.together.wait(timeout=5)
                except BrokenBarrierError:
                    status, body = 500, {"code": "alone"}
            raw = orjson.dumps(body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def allowed(self) -> bool:
            token = self.headers["Authorization"].removeprefix("Bearer ")
            audience = {"/internal/variants": "products", "/internal/availability": "stock"}[self.path]
            claims = jwt.decode(token, service_keys()["cart"], algorithms=["RS256"]).claims
            return (claims["iss"], claims["aud"]) == ("cart", audience)

        def log_message(self, *args: Any) -> None:
            pass

    server = ManyAtOnce(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    neighbours.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
