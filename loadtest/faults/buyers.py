"""Buyers who never give up and remember what they were told, so that it can be compared with what happened."""

import random
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import urllib3

from loadtest.faults.baskets import Basket

ADDRESS = {"name": "Ada", "line1": "1 Main St", "city": "Springfield", "postal_code": "12345", "country": "US"}
TOKENS = ["tok_ok"] * 17 + ["tok_declined", "tok_error", "tok_timeout"]
PATIENCE_SECONDS = 90


@dataclass
class Told:
    """One checkout as its buyer saw it: the key, the definitive answer if there was one, every answer's status."""

    key: str
    cart: str
    basket: Basket
    token: str
    status: int = 0
    body: dict[str, Any] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)


class Buyers:
    """``count`` buyers on threads of their own, each filling carts with real baskets and ordering them."""

    def __init__(self, url: str, count: int, baskets: Iterator[Basket], seed: int) -> None:
        self.told: list[Told] = []
        self._url, self._baskets, self._lock = url, baskets, threading.Lock()
        self._going, self._stop = threading.Event(), threading.Event()
        self._http = urllib3.PoolManager(maxsize=count, retries=False, timeout=urllib3.Timeout(connect=2, read=20))
        self._threads = [
            threading.Thread(target=self._live, args=(random.Random(f"{seed} {n}"),), daemon=True)  # noqa: S311
            for n in range(count)
        ]

    def __enter__(self) -> "Buyers":
        self._going.set()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self.finish()

    def pause(self) -> None:
        """New checkouts wait; those under way go on."""
        self._going.clear()

    def go_on(self) -> None:
        """New checkouts are begun again."""
        self._going.set()

    def finish(self) -> None:
        """No new checkouts; returns when all under way have their answer."""
        self._stop.set()
        self._going.set()
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS + 30)

    def _live(self, chance: random.Random) -> None:
        while not self._stop.is_set():
            self._going.wait()
            with self._lock:
                basket = next(self._baskets)
            cart = self._fill(basket)
            if cart and not self._stop.is_set():
                told = Told(uuid.UUID(int=chance.getrandbits(128)).hex, cart, basket, chance.choice(TOKENS))
                with self._lock:
                    self.told.append(told)
                self._order(told, chance)

    def _fill(self, basket: Basket) -> str:
        """A cart with the basket in it; empty where the shop is not able to just now."""
        status, body = self._call("POST", "/api/v1/carts")
        cart = body.get("id", "") if status == 201 else ""
        filled = 0
        for sku, quantity in basket.items() if cart else ():
            status, _ = self._call("PUT", f"/api/v1/carts/{cart}/lines/{sku}", {"quantity": quantity})
            filled += status == 200
        if not filled:
            self._stop.wait(0.2)
        return cart if filled else ""

    def _order(self, told: Told, chance: random.Random) -> None:
        """Orders, with the same key again and again until the answer is definitive."""
        order = {
            "cart": told.cart,
            "email": "buyer@example.com",
            "shipping_address": ADDRESS,
            "payment": {"method": "test", "token": told.token},
        }
        ends = threading.Event()
        waited = 0.0
        while waited < PATIENCE_SECONDS:
            told.status, told.body = self._call("POST", "/api/v1/orders", order, {"Idempotency-Key": told.key})
            told.statuses.append(told.status)
            code = told.body.get("code", "")
            if told.status in (201, 202, 402, 422) or (told.status == 409 and not code.endswith("_in_progress")):
                return
            pause = chance.uniform(0.2, 1.0)
            waited += pause
            ends.wait(pause)

    def _call(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Status and body; status 0 where no answer came."""
        data = None if body is None else orjson.dumps(body)
        headers = {"Content-Type": "application/json"} | (headers or {})
        try:
            answer = self._http.request(method, self._url + path, body=data, headers=headers)
            found = orjson.loads(answer.data) if answer.data else {}
        except (urllib3.exceptions.HTTPError, orjson.JSONDecodeError):
            return 0, {}
        return answer.status, found if isinstance(found, dict) else {}
