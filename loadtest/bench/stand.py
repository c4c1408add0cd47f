"""Where it is measured: a shop of its own with the real goods, its yardsticks beside it, and the books of both."""

import csv
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import psycopg2
from local import ports
from local.shop import Shop

from loadtest import auditor
from loadtest.bench import accounting, journeys, yardsticks
from loadtest.bench.sample import Sample
from loadtest.bench.wire import Wire

CATALOGUE = Path(__file__).parents[2] / "data" / "catalogue.csv"
PLENTY = 100
"""Goods with so many units are bought: 60 s of checkouts should not end in an empty shelf."""
REST_SECONDS = 120


class Stand:
    """A context: inside it the shop runs. ``settings`` as for `make up`."""

    def __init__(
        self, settings: Mapping[str, str] | None = None, say: Callable[[str], None] = lambda line: None
    ) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="comptoir-bench-"))
        self._folder.chmod(0o755)
        self._say, self._stack = say, ExitStack()
        self.shop = Shop(state=self._folder / "state", offset=ports.free_offset(), settings=settings or {})
        self.yardstick_port, self._beside = 0, dict[str, int]()
        self.skus: list[str] = []
        self.slugs: list[str] = []

    def __enter__(self) -> Self:
        try:
            self.shop.up(self._say)
            self.skus = _skus(self.shop.settings.get("SEED") or CATALOGUE)
            wire = Wire(self.port)
            listed = wire.ask("GET", "/api/v1/products?limit=20").body
            self.yardstick_port, self._beside = self._stack.enter_context(yardsticks.beside(self.shop, listed))
            yardsticks.create_tables(self.shop)
            self.slugs = self.column("products", "SELECT slug FROM products_product WHERE status = 'active'")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *failure: object) -> None:
        self._stack.close()
        self.shop.forget()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def port(self) -> int:
        """The gateway's."""
        return self.shop.ports["GATEWAY_PORT"]

    def processes(self) -> dict[str, int]:
        """What is accounted for: the shop's processes, and those of the bare view."""
        return accounting.processes(self.shop) | self._beside

    def memory(self) -> dict[str, int]:
        """Bytes by process of the shop, without Prometheus."""
        found = accounting.memory(accounting.processes(self.shop))
        return {name: size for name, size in found.items() if name != "prometheus"}

    def measure(self, run: Callable[["Stand", float], Sample], seconds: float) -> Sample:
        """One run, and what it cost, work in the background included: books are closed when orders and mails rest."""
        pids, transactions = self.processes(), self._transactions()
        usage = accounting.Usage.begin(pids)
        sample = run(self, seconds)
        sample.client_cpu = usage.own_since() * 1000 / max(1, sample.count)
        self.rest()
        each = max(1, sample.count)
        sample.cpu = {group: used * 1000 / each for group, used in usage.since(pids).items()}
        after = self._transactions()
        sample.transactions = {name: (after[name] - transactions.get(name, 0)) / each for name in after}
        return sample

    def rest(self) -> None:
        """Returns when no order is under way and every mail is sent."""
        query = """SELECT (SELECT count(*) FROM orders_mail WHERE sent IS NULL) + (SELECT count(*) FROM orders_order
                   WHERE state NOT IN ('completed', 'shipped', 'delivered', 'rejected', 'cancelled', 'refunded'))"""
        begin = time.monotonic()
        while self.column("orders", query)[0]:
            if time.monotonic() > begin + REST_SECONDS:
                raise RuntimeError(f"orders or mails were not at rest after {REST_SECONDS} s")
            time.sleep(0.2)

    def audit(self) -> list[str]:
        """What the auditor finds, a line each."""
        urls = auditor.of_secrets(self.shop.state.secrets)
        return [str(finding) for finding in auditor.audit(urls, settle_seconds=0, recheck_seconds=0.5)]

    def ask(self, path: str) -> Any:
        """The JSON of a GET through the gateway."""
        return Wire(self.port).ask("GET", path).json()

    def _transactions(self) -> dict[str, int]:
        query = "SELECT datname, xact_commit + xact_rollback FROM pg_stat_database WHERE datname IS NOT NULL"
        return dict(self._rows("postgres", query))

    def column(self, database: str, query: str) -> list[Any]:
        """The first column of a query, as the superuser."""
        return [row[0] for row in self._rows(database, query)]

    def _rows(self, database: str, query: str) -> list[Any]:
        password = (self.shop.state.secrets / "superuser_password").read_text().strip()
        port = self.shop.ports["POSTGRES_PORT"]
        connection = psycopg2.connect(host="127.0.0.1", port=port, user="postgres", password=password, dbname=database)
        try:
            with connection.cursor() as cursor:
                cursor.execute(query)
                return cursor.fetchall()
        finally:
            connection.close()


def _skus(feed: str | Path) -> list[str]:
    with Path(feed).open(encoding="utf-8", newline="") as rows:
        return [row["id"] for row in csv.DictReader(rows) if int(row["quantity"]) >= PLENTY]


def check_uncached(stand: Stand) -> None:
    """That the lists and pages to be measured are answered by products and not by the gateway's cache."""
    wire = Wire(stand.port)
    chance = random.Random(time.time_ns())  # noqa: S311 - not a secret
    for path in (journeys.uncached_list(chance), f"/api/v1/products/{stand.slugs[0]}?{time.time_ns()}"):
        answer = wire.ask("GET", path)
        if answer.status != 200 or answer.header("x-cache") != "MISS":
            raise RuntimeError(f"{path}: {answer.status} {answer.header('x-cache')}, not 200 MISS")
