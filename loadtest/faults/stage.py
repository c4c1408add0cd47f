"""The shop of a fault run: proxies between its services, armed fault points, and a look into its databases."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2
from local import ports
from local.shop import Shop

from loadtest.faults.proxy import Proxy

SERVICES = {"cart": "CART_PORT", "stock": "STOCK_PORT", "payment": "PAYMENT_PORT", "products": "PRODUCTS_1_PORT"}
REST_SECONDS = 60.0


class Stage:
    """A shop with real goods, on ports and state of its own."""

    def __init__(self, seed: int, settings: dict[str, str] | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="comptoir-faults-"))
        self.folder.chmod(0o755)
        self.points = self.folder / "points"
        self.points.mkdir()
        self.points.chmod(0o777)  # the shop's processes may run as somebody else
        offset = ports.free_offset()
        table = ports.resolve({}, offset)
        self.proxies = {name: Proxy(name, table[port], seed) for name, port in SERVICES.items()}
        between = {f"{name.upper()}_URL": proxy.url for name, proxy in self.proxies.items()}
        between["PRODUCTS_URL"] += f",http://127.0.0.1:{table['PRODUCTS_2_PORT']}"
        armed = {"FAULTS": str(self.points)}
        orders = between | armed
        extra = {"orders": orders, "orders-worker": orders, "stock": armed, "stock-worker": armed}
        self.shop = Shop(state=self.folder / "state", offset=offset, settings=settings or {}, extra=extra)

    def __enter__(self) -> "Stage":
        self.shop.up()
        return self

    def __exit__(self, *failure: object) -> None:
        self.shop.forget()
        shutil.rmtree(self.folder, ignore_errors=True)

    def arm(self, point: str, act: str) -> None:
        """What happens to the next process that comes by the point."""
        (self.points / f"{point}.hit").unlink(missing_ok=True)
        unfinished = self.points / f".{point}"
        unfinished.write_text(act)
        unfinished.rename(self.points / point)

    def was_hit(self, point: str) -> bool:
        """Whether somebody came by since it was armed."""
        return (self.points / f"{point}.hit").exists()

    def disarm(self) -> None:
        """Nothing is armed, the weather is fair, and every process runs and is ready."""
        for left in self.points.iterdir():
            if left.suffix != ".hit":
                left.unlink(missing_ok=True)
        for proxy in self.proxies.values():
            proxy.heal()

    def worker_pids(self, name: str) -> list[int]:
        """The processes that a master has started: where requests are answered."""
        children = Path(f"/proc/{self.shop.pid(name)}/task/{self.shop.pid(name)}/children")
        return [int(pid) for pid in children.read_text().split()]

    def kill(self, pid: int, number: signal.Signals = signal.SIGKILL) -> None:
        """Sends a signal to a process of this shop."""
        os.kill(pid, number)

    @contextmanager
    def database(self, name: str) -> Iterator[Any]:
        """A cursor on a database, as the superuser."""
        password = (self.shop.state.secrets / "superuser_password").read_text().strip()
        connection = psycopg2.connect(
            host="127.0.0.1", port=self.shop.ports["POSTGRES_PORT"], user="postgres", password=password, dbname=name
        )
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    def under_way(self) -> int:
        """How many orders are not at rest."""
        resting = "('completed', 'shipped', 'delivered', 'rejected', 'cancelled', 'refunded')"
        with self.database("orders") as cursor:
            cursor.execute(
                f"SELECT count(*) FROM orders_order WHERE state NOT IN {resting} "
                "OR (state = 'completed' AND cancel_requested IS NOT NULL)"
            )
            return int(cursor.fetchone()[0])

    def wait_for_rest(self) -> float:
        """Seconds until every order is at rest and every process ready; infinity where that does not come."""
        begin = time.monotonic()
        while (waited := time.monotonic() - begin) < REST_SECONDS:
            try:
                if self.under_way() == 0:
                    return waited
            except psycopg2.OperationalError:
                pass  # not back yet
            time.sleep(0.25)
        return float("inf")
