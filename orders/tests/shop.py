"""Cart, products and stock as orders sees them: real HTTP servers on loopback that keep to those services' contracts.

The payment provider is not here: the tests run the real one.
"""

import json
import re
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID, uuid4

UUID_PATH = r"([0-9a-f-]{36})"


class Shop:
    """The state of the three, and what the test wants to go wrong."""

    def __init__(self) -> None:
        self.prices: dict[str, int] = {}
        self.archived: set[str] = set()
        self.available: dict[str, int] = {}
        self.reservations: dict[str, dict[str, Any]] = {}
        self.carts: dict[str, dict[str, Any]] = {}
        self.consumed: set[str] = set()
        self.calls: list[str] = []
        self.down: set[str] = set()
        """Of ``cart``, ``products``, ``stock``, or a word that a path holds: these answer 503."""
        self.lose: dict[str, int] = defaultdict(int)
        """A word that a path holds, and how many answers to it are lost after the work was done."""
        self.lock = threading.Lock()

    def fill(self, quantity: int = 10, **prices: int) -> None:
        """Goods at these prices, so many of each."""
        self.prices |= prices
        self.available |= dict.fromkeys(prices, quantity)

    def cart(self, customer: UUID | None = None, **lines: int) -> str:
        """A new cart."""
        id = str(uuid4())
        self.carts[id] = {"lines": lines, "version": 1, "customer": customer and str(customer), "checkout": None}
        return id

    def held(self) -> int:
        """How many units are reserved and neither sold nor given back."""
        return sum(sum(r["lines"].values()) for r in self.reservations.values() if r["state"] == "held")

    def handle(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Routes a call to whoever it is for."""
        for pattern, handler in _ROUTES:
            if match := re.fullmatch(pattern, f"{method} {path}"):
                self.calls.append(handler.__name__)
                return handler(self, *match.groups(), body)
        return 404, {"code": "not_found"}

    def begin(self, cart: str, order: str, body: Any) -> tuple[int, Any]:
        found = self.carts.get(cart)
        if found is None or (found["customer"] and found["customer"] != body["customer"]):
            return 404, {"code": "cart_not_found"}
        if found["checkout"] not in (None, order):
            return 409, {"code": "checkout_in_progress"}
        found["checkout"] = order
        lines = [{"sku": sku, "quantity": quantity} for sku, quantity in found["lines"].items()]
        return 200, {"id": cart, "version": found["version"], "lines": lines}

    def end(self, cart: str, order: str, body: Any) -> tuple[int, Any]:
        if (found := self.carts.get(cart)) and found["checkout"] == order:
            found["checkout"] = None
        return 204, None

    def consume(self, cart: str, body: Any) -> tuple[int, Any]:
        if body["order"] not in self.consumed:
            self.consumed.add(body["order"])
            found = self.carts[cart]
            for line in body["lines"]:
                left = found["lines"].pop(line["sku"], 0) - line["quantity"]
                if left > 0:
                    found["lines"][line["sku"]] = left
            found["version"] += 1
            found["checkout"] = None
        return 200, {}

    def consume_all(self, body: Any) -> tuple[int, Any]:
        for bought in body["orders"]:
            self.consume(bought["cart"], bought)
        return 200, {}

    def variants(self, body: Any) -> tuple[int, Any]:
        found = [
            {
                "sku": sku,
                "name": f"Goods {sku}",
                "price": {"amount": self.prices[sku], "currency": "USD"},
                "sellable": sku not in self.archived,
                "image": None,
                "slug": sku.lower(),
            }
            for sku in body["skus"]
            if sku in self.prices
        ]
        return 200, {"variants": found}

    def reserve(self, id: str, body: Any) -> tuple[int, Any]:
        lines = {line["sku"]: line["quantity"] for line in body["lines"]}
        known = self.reservations.get(id)
        if known and known["state"] in ("released", "returned"):
            return 410, {"code": "reservation_released"}
        if known and known["lines"] != lines:
            return 409, {"code": "reservation_conflict"}
        if known and known["state"] != "expired":
            return 200, {"state": known["state"]}
        short = [
            {"sku": sku, "quantity": quantity, "available": self.available.get(sku, 0)}
            for sku, quantity in lines.items()
            if self.available.get(sku, 0) < quantity
        ]
        if short:
            return 409, {"code": "insufficient_stock", "lines": short}
        for sku, quantity in lines.items():
            self.available[sku] -= quantity
        self.reservations[id] = {"state": "held", "lines": lines}
        return 201, {"state": "held"}

    def commit(self, id: str, body: Any) -> tuple[int, Any]:
        known = self.reservations.get(id)
        if known is None:
            return 404, {"code": "reservation_not_found"}
        if known["state"] == "released":
            return 410, {"code": "reservation_released"}
        if known["state"] == "expired":
            status, answer = self.reserve(id, {"lines": [{"sku": s, "quantity": q} for s, q in known["lines"].items()]})
            if status >= 400:
                return status, answer
        self.reservations[id]["state"] = "committed"
        return 200, {"state": "committed"}

    def commit_all(self, body: Any) -> tuple[int, Any]:
        held = [id for id in body["ids"] if self.reservations.get(id, {}).get("state") == "held"]
        for id in held:
            self.reservations[id]["state"] = "committed"
        return 200, {"sold": held}

    def release(self, id: str, body: Any) -> tuple[int, Any]:
        known = self.reservations.setdefault(id, {"state": "released", "lines": {}})
        if known["state"] == "committed":
            return 409, {"code": "reservation_committed"}
        if known["state"] == "held":
            self._shelve(known)
        if known["state"] != "returned":
            known["state"] = "released"
        return 200, {"state": known["state"]}

    def give_back(self, id: str, body: Any) -> tuple[int, Any]:
        known = self.reservations.get(id)
        if known is None:
            return 404, {"code": "reservation_not_found"}
        if known["state"] not in ("committed", "returned"):
            return 409, {"code": "reservation_not_committed"}
        if known["state"] == "committed":
            self._shelve(known)
        known["state"] = "returned"
        return 200, {"state": "returned"}

    def expire(self, id: str) -> None:
        """The reservation's time is over."""
        self._shelve(self.reservations[id])
        self.reservations[id]["state"] = "expired"

    def _shelve(self, reservation: dict[str, Any]) -> None:
        for sku, quantity in reservation["lines"].items():
            self.available[sku] += quantity


_ROUTES = [
    (rf"PUT /internal/carts/{UUID_PATH}/checkouts/{UUID_PATH}", Shop.begin),
    (rf"DELETE /internal/carts/{UUID_PATH}/checkouts/{UUID_PATH}", Shop.end),
    (rf"POST /internal/carts/{UUID_PATH}/consume", Shop.consume),
    (r"POST /internal/carts/consume", Shop.consume_all),
    (r"POST /internal/variants", Shop.variants),
    (r"POST /internal/reservations/commit", Shop.commit_all),
    (rf"PUT /api/v1/stock/reservations/{UUID_PATH}", Shop.reserve),
    (rf"POST /api/v1/stock/reservations/{UUID_PATH}/commit", Shop.commit),
    (rf"POST /api/v1/stock/reservations/{UUID_PATH}/release", Shop.release),
    (rf"POST /api/v1/stock/reservations/{UUID_PATH}/return", Shop.give_back),
]
_SERVICES = {
    "/internal/carts": "cart",
    "/internal/variants": "products",
    "/internal/reservations": "stock",
    "/api/v1/stock": "stock",
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # the body does not wait 40 ms until the headers are acknowledged
    server: "ShopServer"

    def _any(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = json.loads(self.rfile.read(length)) if length else None
        shop = self.server.shop
        service = next((name for prefix, name in _SERVICES.items() if self.path.startswith(prefix)), "")
        if any(word == service or word in self.path for word in shop.down):
            return self._answer(503, {"code": "down"})
        with shop.lock:
            status, answer = shop.handle(self.command, self.path, body)
        for word, left in shop.lose.items():
            if word in self.path and left:
                shop.lose[word] -= 1
                self.close_connection = True
                return None
        return self._answer(status, answer)

    do_GET = do_POST = do_PUT = do_DELETE = _any

    def _answer(self, status: int, body: Any) -> None:
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: Any) -> None: ...


class ShopServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.shop = Shop()
