"""Databases of different moments: the auditor names what does not fit together, and reconciling repairs it."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import urllib3
from local import ports
from local.backup import MANIFEST, backup
from local.problem import Problem
from local.restore import check, newest, restore
from local.servers import Local
from local.shop import Shop
from local.venv import ROOT

from loadtest import auditor
from loadtest.reconcile import local as by_local_commands
from loadtest.reconcile import reconcile

ADDRESS = {"name": "Ada", "line1": "1 Main St", "city": "Springfield", "postal_code": "12345", "country": "US"}
GOODS = 8
HTTP = urllib3.PoolManager()


class Till:
    """Buys through the gateway, and remembers what it was told."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.urls = shop, auditor.of_secrets(shop.state.secrets)
        found = HTTP.request("GET", f"{shop.url}/api/v1/products?limit={GOODS}").json()["results"]
        self.skus = itertools.cycle([page["variants"][0]["sku"] for page in found])

    def buy(self, token: str = "tok_ok") -> str:
        """One of one of the goods; the order's id, empty where it was refused."""
        cart = HTTP.request("POST", f"{self.shop.url}/api/v1/carts").json()["id"]
        line = f"{self.shop.url}/api/v1/carts/{cart}/lines/{next(self.skus)}"
        assert HTTP.request("PUT", line, json={"quantity": 2}).status == 200
        body = {"cart": cart, "email": "ada@example.com", "shipping_address": ADDRESS}
        payment = {"payment": {"method": "test", "token": token}}
        answer = HTTP.request(
            "POST", f"{self.shop.url}/api/v1/orders", json=body | payment, headers={"Idempotency-Key": uuid4().hex}
        )
        assert answer.status in (201, 402), answer.data
        order = answer.json()
        self.access = {**getattr(self, "access", {}), order.get("id", ""): order.get("access_token", "")}
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

    def reconcile(self) -> list[str]:
        """Repairs; what was said. Nothing may be left."""
        said: list[str] = []
        assert reconcile(self.urls, by_local_commands(self.shop), said.append) == []
        return said


@pytest.fixture(scope="module")
def till(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Till]:
    folder = tmp_path_factory.mktemp("shop")
    lines = (ROOT / "data" / "catalogue.csv").read_text().splitlines(keepends=True)
    feed = folder / "goods.csv"
    feed.write_text("".join(lines[: GOODS + 1]))
    feed.chmod(0o644)
    for each in (folder, *folder.parents[:2]):
        each.chmod(0o755)  # the shop may run as somebody else
    shop = Shop(folder / "state", ports.free_offset(), {"SEED": str(feed)})
    with shop:
        yield Till(shop)
    shop.forget()


@pytest.fixture(scope="module")
def moments(till: Till, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two backups with business in between, of which the tests put parts together."""
    home, where = tmp_path_factory.mktemp("backups"), Local(till.shop)
    for _ in range(4):
        till.buy()
    till.kept, till.cancelled = till.buy(), till.buy()  # type: ignore[attr-defined]
    before = backup(where, home)
    till.cancel(till.cancelled)  # type: ignore[attr-defined]
    till.later = [till.buy(token) for token in ("tok_ok", "tok_timeout", "tok_declined", "tok_ok")]  # type: ignore[attr-defined]
    assert till.found() == set()
    after = backup(where, home)
    assert newest(home) == after
    return {"before": before, "after": after}


def test_a_backup_restored_whole_is_the_shop_as_it_was(till: Till, moments: dict[str, Path]) -> None:
    names = list(auditor.of_secrets(till.shop.state.secrets))
    restore(Local(till.shop), moments["before"], names)
    assert till.found() == set()
    assert (till.status(till.kept), till.status(till.later[0])) == ("confirmed", "404")  # type: ignore[attr-defined]
    assert till.status(till.cancelled) == "confirmed"  # type: ignore[attr-defined]
    assert till.buy()  # the shop sells on
    restore(Local(till.shop), moments["after"], names)
    assert till.found() == set()
    assert till.status(till.later[0]) == "confirmed"  # type: ignore[attr-defined]
    assert till.status(till.cancelled) == "cancelled" or till.status(till.cancelled) == "refunded"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("older", "broken", "later"),
    [
        # Orders that nobody knows any more: goods and money go back. The cancelled one is cancelled again.
        (["orders"], {"goods", "money", "carts"}, "404"),
        # Promised, but not booked out, or not taken out of the cart: that is made up for.
        (["stock", "cart"], {"goods"}, "confirmed"),
        # The provider knows of no payment: refunded.
        (["testpay"], {"money", "failed-money"}, "refunded"),
        (["orders", "testpay", "cart"], {"goods"}, "404"),
    ],
)
def test_databases_of_two_moments(
    till: Till, moments: dict[str, Path], older: list[str], broken: set[str], later: str
) -> None:
    names = list(auditor.of_secrets(till.shop.state.secrets))
    restore(Local(till.shop), moments["after"], [name for name in names if name not in older])
    restore(Local(till.shop), moments["before"], older)
    assert broken <= till.found()
    said = till.reconcile()
    assert said
    assert till.found() == set()
    assert till.status(till.later[0]) == later  # type: ignore[attr-defined]
    assert till.status(till.kept) == "confirmed"  # type: ignore[attr-defined]
    assert till.buy()
    assert till.found() == set()


def test_a_damaged_or_unfinished_backup_is_refused(moments: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "stock.dump").write_bytes((moments["before"] / "stock.dump").read_bytes()[:-1])
    with pytest.raises(Problem, match="is not a whole backup"):
        check(tmp_path, ["stock"])
    (tmp_path / MANIFEST).write_text((moments["before"] / MANIFEST).read_text())
    with pytest.raises(Problem, match=r"stock\.dump is damaged"):
        check(tmp_path, ["stock"])
    with pytest.raises(Problem, match="there is no database shop: choose from products"):
        check(moments["before"], ["shop"])
    assert json.loads((moments["before"] / MANIFEST).read_text())["databases"]["stock"]["bytes"] > 1000
