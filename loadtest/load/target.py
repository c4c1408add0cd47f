"""Which shop is loaded: one of its own, or the one at TARGET."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from local import ports
from local.shop import Shop

from loadtest import auditor
from loadtest.bench import flash

FLASH_UNITS = 500
REST_SECONDS = 90
_UNDER_WAY = """
    SELECT count(*) FROM orders_order
    WHERE state NOT IN ('completed', 'shipped', 'delivered', 'rejected', 'cancelled', 'refunded')"""
_SOLD = """
    SELECT l.sku, sum(l.quantity)::bigint FROM orders_orderline l JOIN orders_order o ON o.id = l.order_id
    WHERE o.state IN ('confirmed', 'stock_committed', 'completed', 'shipped', 'delivered') GROUP BY l.sku"""
_RECEIVED = """
    SELECT sku, sum(quantity)::bigint FROM stock_movement WHERE kind NOT IN ('sale', 'return')
    AND sku = ANY(%s) GROUP BY sku"""


@dataclass(frozen=True)
class Target:
    """A shop. ``databases`` by name as the auditor takes them, None where only the API can be reached."""

    url: str
    databases: dict[str, str] | None
    flash_sku: str = ""
    flash_units: int = 0

    def rest(self) -> None:
        """Returns when no order is under way, or after 90 s: then the auditor has something to say."""
        end = time.monotonic() + REST_SECONDS
        while self._rows("orders", _UNDER_WAY)[0][0] and time.monotonic() < end:
            time.sleep(0.5)

    def audit(self) -> list[str]:
        """What the auditor finds, a line each."""
        assert self.databases is not None
        return [str(finding) for finding in auditor.audit(self.databases, settle_seconds=0)]

    def oversold(self) -> int:
        """Units in good orders beyond all that the shop ever received."""
        sold = dict(self._rows("orders", _SOLD))
        received = dict(self._rows("stock", _RECEIVED, [list(sold)]))
        return sum(max(0, units - received.get(sku, 0)) for sku, units in sold.items())

    def _rows(self, database: str, query: str, values: list[object] | None = None) -> list[tuple[str, int]]:
        assert self.databases is not None
        with closing(psycopg2.connect(self.databases[database])) as connection, connection.cursor() as cursor:
            cursor.execute(query, values)
            return [(row[0], row[-1]) for row in cursor.fetchall()]


@contextmanager
def own(shape: str) -> Iterator[Target]:
    """A shop with the real goods, for as long as the context lasts."""
    folder = Path(tempfile.mkdtemp(prefix="comptoir-load-"))
    folder.chmod(0o755)
    shop = Shop(state=folder / "state", offset=ports.free_offset())
    print("the shop comes up …", flush=True)
    try:
        shop.up(lambda line: print(f"  {line}", flush=True))
        sku = flash.goods(shop, FLASH_UNITS) if shape == "flash" else ""
        yield Target(shop.url, auditor.of_secrets(shop.state.secrets), sku, FLASH_UNITS if sku else 0)
    finally:
        shop.forget()
        shutil.rmtree(folder, ignore_errors=True)


def at(url: str) -> Target:
    """The shop at this address; it can be audited if it is the one that `make up` started here."""
    here = Shop.found()
    try:
        mine = url.rstrip("/").rpartition(":")[2] == str(here.ports["GATEWAY_PORT"]) and here.supervisor.alive()
        return Target(url.rstrip("/"), auditor.of_secrets(here.state.secrets) if mine else None)
    except Exception:  # another machine's shop, or none: then there is nothing to audit
        return Target(url.rstrip("/"), None)
