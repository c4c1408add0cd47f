"""A buyer at a whole shop, and backups put together of several moments."""

import itertools
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from uuid import uuid4

import urllib3
from local.backup import MANIFEST
from local.shop import Shop

from loadtest import auditor
from loadtest.reconcile import local as by_local_commands
from loadtest.reconcile import reconcile

ADDRESS = {"name": "Ada", "line1": "1 Main St", "city": "Springfield", "postal_code": "12345", "country": "US"}
GOODS = 8
HTTP = urllib3.PoolManager(maxsize=16)


class Till:
    """Buys through the gateway, and remembers what it was told."""

    def __init__(self, shop: Shop) -> None:
        self.access: dict[str, str] = {}
        self.shop, self.urls = shop, auditor.of_secrets(shop.state.secrets)
        found = HTTP.request("GET", f"{shop.url}/api/v1/products?limit={GOODS}").json()["results"]
        self.skus = itertools.cycle([page["variants"][0]["sku"] for page in found])

    def fill(self) -> str:
        """A guest's cart with two of one of the goods in it."""
        cart = str(HTTP.request("POST", f"{self.shop.url}/api/v1/carts").json()["id"])
        line = f"{self.shop.url}/api/v1/carts/{cart}/lines/{next(self.skus)}"
        assert HTTP.request("PUT", line, json={"quantity": 2}).status == 200
        return cart

    def buy(self, token: str = "tok_ok", cart: str = "") -> str:
        """Orders a cart; the order's id, empty where the payment was declined."""
        body = {"cart": cart or self.fill(), "email": "ada@example.com", "shipping_address": ADDRESS}
        payment = {"payment": {"method": "test", "token": token}}
        answer = HTTP.request(
            "POST", f"{self.shop.url}/api/v1/orders", json=body | payment, headers={"Idempotency-Key": uuid4().hex}
        )
        assert answer.status in (201, 402), answer.data
        order = answer.json()
        self.access[order.get("id", "")] = order.get("access_token", "")
        return str(order.get("id", ""))

    def cancel(self, order: str) -> None:
        """The buyer cancels."""
        url = f"{self.shop.url}/api/v1/orders/{order}/cancel?access_token={self.access[order]}"
        assert HTTP.request("POST", url).status == 200

    def status(self, order: str) -> str:
        """What the buyer sees; the HTTP status where there is no such order any more."""
        url = f"{self.shop.url}/api/v1/orders/{order}?access_token={self.access[order]}"
        answer = HTTP.request("GET", url)
        return str(answer.json()["status"]) if answer.status == 200 else str(answer.status)

    def found(self) -> set[str]:
        """The invariants that do not hold."""
        return {finding.invariant for finding in auditor.audit(self.urls, settle_seconds=0)}

    def reconcile(self, *, quiet: bool = False) -> list[str]:
        """Repairs; what was found. Nothing may be left."""
        said: list[str] = []

        def look() -> list[auditor.Finding]:
            return auditor.audit(self.urls, settle_seconds=0)

        assert reconcile(look, by_local_commands(self.shop, quiet=quiet), said.append) == []
        return said


def mixed(folder: Path, *, newer: Path, older: Path, names: Iterable[str]) -> Path:
    """A backup as it would be if the dumps of ``names`` had been taken earlier than the others."""
    shutil.copytree(newer, folder)
    manifest = json.loads((newer / MANIFEST).read_text())
    for name in names:
        shutil.copy(older / f"{name}.dump", folder)
        manifest["databases"][name] = json.loads((older / MANIFEST).read_text())["databases"][name]
    (folder / MANIFEST).write_text(json.dumps(manifest))
    return folder
