"""People in a shop, so that its panels have something to show: they look around, buy, fail to pay, sign in, mistype."""

import json
import random
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

ADDRESS = {"name": "Ada Byron", "line1": "12 St James Sq", "city": "London", "postal_code": "SW1Y 4JH", "country": "GB"}


def ask(url: str, method: str = "GET", body: Any = None, **headers: str) -> tuple[int, Any]:
    """Status and JSON body."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **{name.replace("_", "-"): text for name, text in headers.items()}}
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as refused:
        return refused.code, json.loads(refused.read() or b"null")


class Visitor:
    """Does one thing after another; what comes back is looked at by other tests."""

    def __init__(self, url: str) -> None:
        self._api, self._random = f"{url}/api/v1", random.Random(7)
        self._deeds: list[Callable[[], object]] = [self.look, self.look, self.buy, self.buy, self.fail, self.sign_in]

    def go_on(self) -> None:
        """The next thing."""
        self._random.choice(self._deeds)()

    def look(self) -> None:
        """Searches, pages, and a product that is not there."""
        ask(f"{self._api}/products?limit=5&q={self._random.choice(['milk', 'bread', 'bananna'])}")
        ask(f"{self._api}/products?limit={self._random.randint(1, 50)}")
        ask(f"{self._api}/products/nothing-of-that-name")

    def buy(self, token: str = "tok_ok", quantity: int = 1) -> int:
        """A cart, a line, an order; the status of the order."""
        _, page = ask(f"{self._api}/products?limit=20")
        sku = self._random.choice(page["results"])["variants"][0]["sku"]
        _, cart = ask(f"{self._api}/carts", "POST")
        ask(f"{self._api}/carts/{cart['id']}/lines/{sku}", "PUT", {"quantity": quantity})
        order = {"cart": cart["id"], "email": "ada@example.com", "shipping_address": ADDRESS}
        body = order | {"payment": {"method": "test", "token": token}}
        return ask(f"{self._api}/orders", "POST", body, Idempotency_Key=str(uuid4()))[0]

    def fail(self) -> None:
        """A declined card, and more than there is."""
        self.buy(token="tok_declined")
        self.buy(quantity=999)

    def sign_in(self) -> None:
        """With a password that is not the one."""
        ask(f"{self._api}/customers/token", "POST", {"email": "nobody@example.com", "password": "not that one"})


@contextmanager
def load(url: str, visitors: int = 3) -> Iterator[None]:
    """So many visitors, until it is over."""
    over = threading.Event()

    def visit() -> None:
        visitor = Visitor(url)
        while not over.wait(0.05):
            visitor.go_on()

    threads = [threading.Thread(target=visit) for _ in range(visitors)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
