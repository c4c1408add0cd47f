"""Orders that were placed and completed, as five databases know them, and carts that were not bought."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from local.shop import Shop

from loadtest.scale.copying import Progress, Row, batches, copy, loading

PRICE = 250
LINES = 2
TOTAL = PRICE * LINES
_PATH = ("pending", "reserved", "paying", "paid", "confirmed", "stock_committed", "completed")
_ADDRESS = '{"name": "Ada", "line1": "1 Main St", "city": "Springfield", "postal_code": "12345", "country": "US"}'
_ORDER = (
    "id, number, state, customer, email, shipping_address, cart, cart_version, currency, subtotal, discount, shipping,"
    " tax, total, method, token, given_up, lease, lease_until, attempts, created, updated"
)


@dataclass(frozen=True)
class Placed:
    """One order: two goods, one of each."""

    id: UUID
    number: int
    cart: UUID
    customer: UUID | None
    skus: tuple[str, str]
    at: datetime


@dataclass(frozen=True)
class Chapter:
    """Orders ``start`` to ``stop``, which together buy each of ``skus`` equally often. ``recent`` of them are of the
    last day, all others older; those at ``every`` belong to ``customer``.
    """

    start: int
    stop: int
    skus: Sequence[str]
    recent: int = 0
    customer: UUID | None = None
    every: int = 100

    def order(self, number: int) -> Placed:
        """The same each time it is asked for."""
        chance, place = random.Random(number), number - self.start  # noqa: S311 - the same in five databases
        age = chance.uniform(600, 80_000) if place < self.recent else chance.uniform(2 * 86_400, 300 * 86_400)
        at = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(seconds=age)
        pair = (self.skus[LINES * place % len(self.skus)], self.skus[(LINES * place + 1) % len(self.skus)])
        owner = self.customer if place % self.every == 0 else None
        # As chassis.ids makes them: the time, then chance.
        id = UUID(int=int(at.timestamp() * 1000) << 80 | 7 << 76 | 2 << 62 | chance.getrandbits(62))
        cart = UUID(int=chance.getrandbits(128), version=4)
        return Placed(id, 1_000_000_000 + number, cart, owner, pair, at)


def grow(shop: Shop, chapter: Chapter, progress: Progress) -> None:
    """Writes the orders where they belong; stock has them as sold."""
    with (
        loading(shop, "orders") as orders,
        loading(shop, "stock") as stock,
        loading(shop, "cart") as cart,
        loading(shop, "testpay") as testpay,
    ):
        for numbers in batches(chapter.start, chapter.stop):
            placed = [chapter.order(number) for number in numbers]
            done = _orders(orders, placed) + _sales(stock, placed)
            done += copy(
                testpay, "charge", "key, state, amount, currency", ((it.id, "succeeded", TOTAL, "USD") for it in placed)
            )
            recent = [it for it in placed if it.number - 1_000_000_000 - chapter.start < chapter.recent]
            copy(cart, "cart_cart", "id, version", ((it.cart, 3) for it in recent))
            copy(cart, "cart_consumed", "order_id, cart_id", ((it.id, it.cart) for it in recent))
            progress(done)
        for cursor in (orders, stock, cart, testpay):
            cursor.execute("VACUUM ANALYZE")


def carts(shop: Shop, start: int, stop: int, skus: Sequence[str], progress: Progress) -> None:
    """Guests' carts with three lines each, that nobody has bought yet."""
    with loading(shop, "cart") as cursor:
        for numbers in batches(start, stop):
            ids = {n: UUID(int=random.Random(-n - 1).getrandbits(128), version=4) for n in numbers}  # noqa: S311
            at = datetime.now(UTC) - timedelta(days=1)
            opened = ((ids[n], 3, 3, at - timedelta(minutes=n % 80_000)) for n in numbers)
            done = copy(cursor, "cart_cart", "id, version, line_count, updated", opened)
            lines = ((ids[n], skus[(n + k) % len(skus)], 1, "Goods", PRICE) for n in numbers for k in range(3))
            done += copy(cursor, "cart_line", "cart_id, sku, quantity, name, unit_price", lines)
            progress(done)
        cursor.execute("VACUUM ANALYZE")


def _orders(cursor: object, placed: Sequence[Placed]) -> int:
    def row(it: Placed) -> Row:
        owner = (it.customer, "ada@example.com", _ADDRESS, it.cart, 2, "USD")
        amounts = (TOTAL, 0, 0, 0, TOTAL)
        return (it.id, it.number, "completed", *owner, *amounts, "test", "", "f", it.id, it.at, 0, it.at, it.at)

    done = copy(cursor, "orders_order", _ORDER, map(row, placed))
    lines = ((it.id, sku, "Goods", 1, PRICE) for it in placed for sku in it.skus)
    done += copy(cursor, "orders_orderline", "order_id, sku, name, quantity, unit_price", lines)
    events = ((it.id, event, "orders", "", it.at) for it in placed for event in _PATH)
    done += copy(cursor, "orders_orderevent", "order_id, event, actor, note, created", events)
    payments = ((it.id, "paid", TOTAL, "USD") for it in placed)
    done += copy(cursor, "orders_payment", "order_id, state, amount, currency", payments)
    mails = ((it.id, "confirmation", it.at, it.at) for it in placed)
    return done + copy(cursor, "orders_mail", "order_id, kind, created, sent", mails)


def _sales(cursor: object, placed: Sequence[Placed]) -> int:
    rows = ((it.id, "committed", it.at, it.at, it.at) for it in placed)
    done = copy(cursor, "stock_reservation", "id, state, expires, created, updated", rows)
    lines = ((it.id, sku, 1) for it in placed for sku in it.skus)
    done += copy(cursor, "stock_reservationline", "reservation_id, sku, quantity", lines)
    sales = ((sku, "sale", -1, "", "orders", it.id) for it in placed for sku in it.skus)
    return done + copy(cursor, "stock_movement", "sku, kind, quantity, reason, actor, reservation_id", sales)
