"""A small HTTP server that answers as the stock service's contract says, for the import's receipts."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any


class Stock:
    """What was received: quantities by SKU, each SKU once per reference."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.received: dict[tuple[str, str], int] = {}
        self.failing_after: int | None = None
        """How many calls succeed before all fail with 503."""
        self.lock = Lock()

    @property
    def on_hand(self) -> dict[str, int]:
        """Quantities by SKU."""
        total: dict[str, int] = {}
        for (sku, _), quantity in self.received.items():
            total[sku] = total.get(sku, 0) + quantity
        return total

    def answer(self, path: str, token: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """The contract of POST /internal/receipts."""
        with self.lock:
            self.calls.append(body)
            if self.failing_after is not None and len(self.calls) > self.failing_after:
                return 503, {"code": "unavailable"}
            if path != "/internal/receipts" or not token.startswith("Bearer "):
                return 404, {"code": "not_found"}
            if not 1 <= len(body["lines"]) <= 2000 or any(line["quantity"] < 1 for line in body["lines"]):
                return 400, {"code": "invalid"}
            new = {(line["sku"], body["reference"]): line["quantity"] for line in body["lines"]}
            fresh = {key: quantity for key, quantity in new.items() if key not in self.received}
            self.received |= fresh
            return 200, {"received": len(fresh)}


@contextmanager
def serving(stock: Stock) -> Iterator[str]:
    """Serves it on a free port of loopback; the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # the body does not wait 40 ms until the headers are acknowledged

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, answer = stock.answer(self.path, self.headers.get("Authorization", ""), body)
            raw = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
