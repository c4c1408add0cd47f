"""Everything that five databases know of one order, brought together under its id: a merge of sorted streams."""

from collections.abc import Iterator
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from loadtest.auditor.databases import Databases

# Lines are compared by a digest: the same SKUs in the same quantities.
_DIGEST = "md5(string_agg(sku || ' ' || {quantity}, ',' ORDER BY sku))"
_QUIET = "< now() - make_interval(secs => %(settle)s)"

_ORDERS = f"""
    SELECT o.id, o.number, o.state, o.method, o.customer, o.cart, o.cart_version IS NOT NULL, o.subtotal, o.total,
        o.subtotal - o.discount + o.shipping + o.tax, o.currency, l.sum, l.digest, p.state, p.amount, p.currency,
        coalesce(e.path, ''), r.id IS NULL OR r.status IS NOT NULL, coalesce(o.failure->>'code', ''),
        o.cancel_requested IS NOT NULL, greatest(o.updated, o.cancel_requested, p.updated, e.last) {_QUIET}
    FROM orders_order o
    LEFT JOIN (
        SELECT order_id, sum(quantity * unit_price)::bigint AS sum, {_DIGEST.format(quantity="quantity")} AS digest
        FROM orders_orderline WHERE true /*ids order_id*/ GROUP BY order_id
    ) l ON l.order_id = o.id
    LEFT JOIN (
        SELECT order_id, string_agg(event, ' ' ORDER BY id) AS path, max(created) AS last
        FROM orders_orderevent WHERE true /*ids order_id*/ GROUP BY order_id
    ) e ON e.order_id = o.id
    LEFT JOIN orders_payment p ON p.order_id = o.id
    LEFT JOIN idempotency_idempotencyrecord r ON r.id = o.idempotency_id
    WHERE true /*ids o.id*/ ORDER BY o.id
"""
_RESERVATIONS = f"""
    SELECT r.id, r.state, l.digest, s.digest, b.digest, r.state = 'held' AND r.expires {_QUIET}, r.updated {_QUIET}
    FROM stock_reservation r
    LEFT JOIN (
        SELECT reservation_id, {_DIGEST.format(quantity="quantity")} AS digest
        FROM stock_reservationline WHERE true /*ids reservation_id*/ GROUP BY reservation_id
    ) l ON l.reservation_id = r.id
    LEFT JOIN (
        SELECT reservation_id, {_DIGEST.format(quantity="-quantity")} AS digest
        FROM stock_movement WHERE kind = 'sale' /*ids reservation_id*/ GROUP BY reservation_id
    ) s ON s.reservation_id = r.id
    LEFT JOIN (
        SELECT reservation_id, {_DIGEST.format(quantity="quantity")} AS digest
        FROM stock_movement WHERE kind = 'return' /*ids reservation_id*/ GROUP BY reservation_id
    ) b ON b.reservation_id = r.id
    WHERE true /*ids r.id*/ ORDER BY r.id
"""
_CHARGES = f"SELECT key, state, amount, currency, updated {_QUIET} FROM charge WHERE true /*ids key*/ ORDER BY key"
_CONSUMED = f"""
    SELECT order_id, cart_id, created {_QUIET} FROM cart_consumed WHERE true /*ids order_id*/ ORDER BY order_id
"""


class Order(NamedTuple):
    """An order as its own database has it. ``answered``: its key has an answer, or is forgotten."""

    id: str
    number: int
    state: str
    method: str
    customer: str | None
    cart: str
    has_snapshot: bool
    subtotal: int
    total: int
    adds_up_to: int
    currency: str
    lines_sum: int | None
    lines: str | None
    payment: str | None
    amount: int | None
    payment_currency: str | None
    path: str
    answered: bool
    failure: str
    cancel_requested: bool
    quiet: bool


class Reservation(NamedTuple):
    """What stock holds or sold for an order; digests of its lines and of its entries in the ledger."""

    id: str
    state: str
    lines: str | None
    sales: str | None
    returns: str | None
    overdue: bool
    quiet: bool


class Charge(NamedTuple):
    """What the payment provider did under an order's id."""

    id: str
    state: str
    amount: int | None
    currency: str | None
    quiet: bool


class Consumed(NamedTuple):
    """A cart remembers that an order took its lines."""

    id: str
    cart: str
    quiet: bool


class Case(NamedTuple):
    """All that is known under one id."""

    id: str
    order: Order | None = None
    reservation: Reservation | None = None
    charge: Charge | None = None
    consumed: Consumed | None = None

    @property
    def quiet(self) -> bool:
        """Whether none of it changed lately."""
        return all(part.quiet for part in self[1:] if part is not None)


def count(databases: Databases) -> int:
    """About how many cases there are: as many as orders."""
    return int(databases.value("orders", "SELECT count(*) FROM orders_order WHERE true /*ids id*/"))


def read(databases: Databases) -> Iterator[Case]:
    """Every case, by id. The memory it takes does not grow with their number."""
    streams = [
        _named("order", map(Order._make, databases.stream("orders", _ORDERS))),
        _named("reservation", map(Reservation._make, databases.stream("stock", _RESERVATIONS))),
        _named("consumed", map(Consumed._make, databases.stream("cart", _CONSUMED))),
    ]
    # In production there is no test provider, so it never made its table.
    if databases.value("testpay", "SELECT to_regclass('charge')"):
        streams.append(_named("charge", map(Charge._make, databases.stream("testpay", _CHARGES))))
    for id, parts in groupby(merge(*streams, key=itemgetter(0)), key=itemgetter(0)):
        yield Case(id, **{name: part for _, name, part in parts})


def _named(name: str, rows: Iterator[Any]) -> Iterator[tuple[str, str, Any]]:
    return ((row.id, name, row) for row in rows)
