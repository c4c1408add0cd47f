"""A clean shop of any size, written by COPY: every kind of order, with what the other databases know of it."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from tempfile import TemporaryFile
from typing import Any, TextIO, cast
from uuid import NAMESPACE_URL, UUID, uuid5

import psycopg2

from loadtest.faults.baskets import baskets

PRICE = 250
_BOUGHT = "pending reserved paying paid confirmed stock_committed completed"


@dataclass(frozen=True)
class Story:
    """A kind of order: what happened to it, and what stock and the provider know of it. One in ``every`` is of it."""

    name: str
    every: int
    path: str = _BOUGHT
    reservation: str | None = "committed"
    charge: str | None = "succeeded"
    payment: str | None = "paid"
    method: str = "test"
    fresh: bool = False

    @property
    def state(self) -> str:
        """Where its path ends."""
        return self.path.split()[-1]

    @property
    def has_snapshot(self) -> bool:
        """Whether its lines and prices were written down."""
        return self.name != "short"


STORIES = (
    Story("fresh", 50, "pending reserved", "held", None, None, fresh=True),
    Story("declined", 20, "pending reserved paying rejected", "released", "declined", "declined"),
    Story("short", 25, "pending rejected", None, None, None),
    Story("cancelled", 30, "pending reserved cancelling cancelled", "released", None, None),
    Story("refunded", 35, f"{_BOUGHT} refunding refunded", "returned", "refunded", "refunded"),
    Story("lost", 37, f"{_BOUGHT} shipped refunding refunded", "committed", "refunded", "refunded"),
    Story("invoice", 10, charge=None, payment="due", method="invoice"),
    Story("delivered", 4, f"{_BOUGHT} shipped delivered"),
    Story("completed", 1),
)


def order_id(story: str, turn: int = 0) -> str:
    """The id of the n-th order of a story."""
    return str(uuid5(NAMESPACE_URL, f"{story} {turn}"))


class _Table:
    """Rows on their way into a table, in a file so that memory stays small."""

    def __init__(self, name: str, columns: str) -> None:
        self.name, self.columns = name, columns
        self._file = io.TextIOWrapper(cast(io.BytesIO, TemporaryFile()), encoding="utf-8", newline="\n")  # noqa: SIM115

    def add(self, *values: object) -> None:
        self._file.write("\t".join("\\N" if value is None else str(value) for value in values) + "\n")

    def copy(self, cursor: Any) -> None:
        self._file.seek(0)
        cursor.copy_expert(f"COPY {self.name} ({self.columns}) FROM STDIN", cast(TextIO, self._file))


class _Tables:
    def __init__(self) -> None:
        self.order = _Table(
            "orders_order",
            "id, number, state, customer, email, shipping_address, cart, cart_version, currency, subtotal, discount,"
            " shipping, tax, total, method, token, idempotency_id, given_up, lease, lease_until, attempts, created,"
            " updated",
        )
        self.line = _Table("orders_orderline", "order_id, sku, name, quantity, unit_price")
        self.event = _Table("orders_orderevent", "order_id, event, actor, note, created")
        self.payment = _Table("orders_payment", "order_id, state, amount, currency, updated")
        self.key = _Table("idempotency_idempotencyrecord", "id, scope, key, fingerprint, headers, status, body")
        self.level = _Table("stock_level", "sku, on_hand, reserved")
        self.reservation = _Table("stock_reservation", "id, state, expires, updated")
        self.held = _Table("stock_reservationline", "reservation_id, sku, quantity")
        self.entry = _Table("stock_movement", "sku, kind, quantity, reason, actor, reservation_id")
        self.cart = _Table("cart_cart", "id, customer, adopted, version")
        self.consumed = _Table("cart_consumed", "order_id, cart_id, created")
        self.charge = _Table("charge", "key, state, amount, currency, updated")
        self.customer = _Table("customers_customer", "id, email, name, pending_email, password, is_superuser")

    def of(self, database: str) -> list[_Table]:
        """Those of a database, in the order in which they refer to each other."""
        return {
            "orders": [self.key, self.order, self.line, self.event, self.payment],
            "stock": [self.level, self.reservation, self.held, self.entry],
            "cart": [self.cart, self.consumed],
            "testpay": [self.charge],
            "customers": [self.customer],
        }[database]


def populate(urls: Mapping[str, str], orders: int) -> None:
    """Fills the databases, which are empty but for their tables: ``orders`` orders of real baskets."""
    tables, quantities = _Tables(), dict[str, list[int]]()
    for number, (story, id, basket) in enumerate(islice(_orders(), orders), start=1):
        _write(tables, story, id, number, basket)
        for sku, quantity in basket.items():
            sold, reserved = quantities.setdefault(sku, [0, 0])
            out = story.reservation == "committed"
            quantities[sku] = [sold + quantity * out, reserved + quantity * (story.reservation == "held")]
    receipts = _Table("stock_movement", "sku, kind, quantity, reason, actor, reference")
    for sku, (sold, reserved) in quantities.items():
        tables.level.add(sku, reserved + 100_000, reserved)
        receipts.add(sku, "receipt", sold + reserved + 100_000, "", "service:products", "import")
    for database in ("orders", "stock", "cart", "testpay", "customers"):
        with psycopg2.connect(urls[database]) as connection, connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            found = tables.of(database)
            # The ledger begins with what came in.
            for table in [*found[:1], *([receipts] if database == "stock" else []), *found[1:]]:
                table.copy(cursor)
            if database == "orders":
                cursor.execute("SELECT setval('orders_number', %s)", [orders + 1])
                cursor.execute(
                    "SELECT setval(pg_get_serial_sequence('idempotency_idempotencyrecord', 'id'), %s)", [orders + 1]
                )
            cursor.execute("SET session_replication_role = origin")
        connection.autocommit = True
        connection.cursor().execute("VACUUM ANALYZE")
        connection.close()


def _orders() -> Iterator[tuple[Story, str, dict[str, int]]]:
    turns = dict.fromkeys(STORIES, 0)
    for number, basket in enumerate(baskets(), start=1):
        story = next(story for story in STORIES if number % story.every == 0)
        yield story, order_id(story.name, turns[story]), basket
        turns[story] += 1


def _write(tables: _Tables, story: Story, id: str, number: int, basket: Mapping[str, int]) -> None:
    at = datetime.now(UTC) + timedelta(hours=1 if story.fresh else -1)  # fresh, however long the writing takes
    ordered = basket if story.has_snapshot else {}
    total = PRICE * sum(ordered.values())
    cart, customer = UUID(int=number), None if number % 3 else UUID(int=number % 1_000 + 1)
    tables.key.add(number, f"cart:{cart}", id, "0" * 64, "{}", *((None, None) if story.fresh else (201, r"\\x7b7d")))
    owner = (customer, "ada@example.com", "{}", cart, 1 if ordered else None, "USD")
    amounts = (total, 0, 0, 0, total)
    tables.order.add(id, number, story.state, *owner, *amounts, story.method, "", number, "f", id, at, 0, at, at)
    tables.cart.add(cart, customer, customer and at, 1)
    if customer and number <= 3_000:
        tables.customer.add(customer, f"{customer}@example.com", "", "", "!", "f")
    for event in story.path.split():
        tables.event.add(id, event, "orders", "", at)
    for sku, quantity in ordered.items():
        tables.line.add(id, sku, sku, quantity, PRICE)
    if story.payment:
        tables.payment.add(id, story.payment, total, "USD", at)
    if story.charge:
        tables.charge.add(id, story.charge, total, "USD", at)
    if "stock_committed" in story.path:
        tables.consumed.add(id, cart, at)
    if story.reservation:
        _write_goods(tables, story.reservation, id, basket, at)


def _write_goods(tables: _Tables, state: str, id: str, basket: Mapping[str, int], at: datetime) -> None:
    tables.reservation.add(id, state, at + timedelta(minutes=15), at)
    for sku, quantity in basket.items():
        tables.held.add(id, sku, quantity)
        if state in ("committed", "returned"):
            tables.entry.add(sku, "sale", -quantity, "", "orders", id)
        if state == "returned":
            tables.entry.add(sku, "return", quantity, "", "orders", id)
