"""Databases of different moments: the auditor names what does not fit together, and reconciling repairs it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from local import ports
from local.backup import MANIFEST, backup
from local.problem import Problem
from local.restore import check, newest, restore
from local.servers import Local
from local.shop import Shop
from local.venv import ROOT

from loadtest import auditor
from loadtest.tests.till import GOODS, Till, mixed

NAMES = auditor.DATABASES
LONG = pytest.mark.long


@pytest.fixture(scope="module")
def till(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Till]:
    folder = tmp_path_factory.mktemp("shop")
    lines = (ROOT / "data" / "catalogue.csv").read_text().splitlines(keepends=True)
    feed = folder / "goods.csv"
    feed.write_text("".join(lines[: GOODS + 1]))
    shop = Shop(folder / "state", ports.free_offset(), {"SEED": str(feed)})
    with shop:
        yield Till(shop)
    shop.forget()


@dataclass(frozen=True)
class Moments:
    """Two backups with business in between, and what was bought when."""

    before: Path
    after: Path
    kept: str
    cancelled: str
    later: str


@pytest.fixture(scope="module")
def moments(till: Till, tmp_path_factory: pytest.TempPathFactory) -> Moments:
    home, where = tmp_path_factory.mktemp("backups"), Local(till.shop)
    kept, cancelled, cart = till.buy(), till.buy(), till.fill()
    before = backup(where, home)
    till.cancel(cancelled)
    later = till.buy(cart=cart)
    for token in ("tok_timeout", "tok_declined", "tok_ok"):
        till.buy(token)
    assert till.found() == set()
    after = backup(where, home)
    assert newest(home) == after
    return Moments(before, after, kept, cancelled, later)


def test_a_backup_restored_whole_is_the_shop_as_it_was(till: Till, moments: Moments) -> None:
    restore(Local(till.shop), moments.before, NAMES)
    assert till.found() == set()
    assert [till.status(id) for id in (moments.kept, moments.cancelled)] == ["confirmed", "confirmed"]
    assert till.status(moments.later) == "404"
    assert till.buy()  # the shop sells on
    restore(Local(till.shop), moments.after, NAMES)
    assert till.found() == set()
    assert [till.status(id) for id in (moments.kept, moments.later)] == ["confirmed", "confirmed"]
    assert till.status(moments.cancelled) == "refunded"


@pytest.mark.parametrize(
    ("older", "broken", "cancelled", "later"),
    [
        # Orders that nobody knows any more: goods and money go back. The one that was refunded is refunded again.
        (["orders"], {"goods", "money", "carts"}, "refunded", "404"),
        # Promised, but not booked out and not taken out of the cart: that is made up for.
        pytest.param(["stock", "cart"], {"goods", "failed-goods", "carts"}, "refunded", "confirmed", marks=LONG),
        # The provider knows of no payment: what it does not know is refunded, what it holds too long goes back.
        pytest.param(["testpay"], {"money", "failed-money"}, "refunded", "refunded", marks=LONG),
        # Only stock and products remember: the goods go back; the refunded order is confirmed and paid, but returned.
        pytest.param(["orders", "testpay", "cart", "customers"], {"goods"}, "refunded", "404", marks=LONG),
    ],
)
def test_databases_of_two_moments(
    till: Till, moments: Moments, tmp_path: Path, older: list[str], broken: set[str], cancelled: str, later: str
) -> None:
    folder = mixed(tmp_path / "mixed", newer=moments.after, older=moments.before, names=older)
    check(folder, NAMES)
    restore(Local(till.shop), folder, NAMES)
    assert till.found() == broken
    said = till.reconcile()
    assert any(moments.later in line for line in said)
    assert till.found() == set()
    assert till.status(moments.kept) == "confirmed"
    assert (till.status(moments.cancelled), till.status(moments.later)) == (cancelled, later)
    assert till.buy()
    assert till.found() == set()


def test_a_damaged_or_unfinished_backup_is_refused(moments: Moments, tmp_path: Path) -> None:
    (tmp_path / "stock.dump").write_bytes((moments.before / "stock.dump").read_bytes()[:-1])
    with pytest.raises(Problem, match="is not a whole backup"):
        check(tmp_path, ["stock"])
    (tmp_path / MANIFEST).write_text((moments.before / MANIFEST).read_text())
    with pytest.raises(Problem, match=r"stock\.dump is damaged"):
        check(tmp_path, ["stock"])
    with pytest.raises(Problem, match="there is no database shop: choose from products"):
        check(moments.before, ["shop"])
    assert json.loads((moments.before / MANIFEST).read_text())["databases"]["stock"]["bytes"] > 1000
