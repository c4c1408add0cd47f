"""Invariants within one database: a statement each that counts what it looked at and one that finds the offenders.

One snapshot is consistent in itself, so nothing has to settle here.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from loadtest.auditor.databases import Databases
from loadtest.auditor.findings import Finding

FAILED = "('rejected', 'cancelled', 'refunding', 'refunded')"
LIVE = "('pending', 'reserved', 'paying', 'paid', 'confirmed', 'stock_committed', 'cancelling')"


@dataclass(frozen=True)
class Rule:
    """``count`` counts, ``offenders`` yields rows of subject and detail, both texts."""

    invariant: str
    database: str
    count: str
    offenders: str

    def find(self, databases: Databases) -> Iterator[Finding]:
        """The offenders."""
        for subject, detail in databases.stream(self.database, self.offenders):
            yield Finding(self.invariant, subject, detail)


_LEVELS = "SELECT count(*) FROM stock_level WHERE true /*skus sku*/"
_ORDERS = "SELECT count(*) FROM orders_order WHERE true /*ids id*/"

RULES = (
    Rule(
        "levels",
        "stock",
        _LEVELS,
        """SELECT 'SKU ' || sku, format('%%s reserved, %%s on hand', reserved, on_hand) FROM stock_level
        WHERE NOT (0 <= reserved AND reserved <= on_hand) /*skus sku*/ ORDER BY sku""",
    ),
    Rule(
        "held",
        "stock",
        _LEVELS,
        """SELECT 'SKU ' || v.sku, format('%%s reserved, %%s in lines that are held', v.reserved, coalesce(h.held, 0))
        FROM stock_level v LEFT JOIN (
            SELECT l.sku, sum(l.quantity) AS held
            FROM stock_reservationline l JOIN stock_reservation r ON r.id = l.reservation_id
            WHERE r.state = 'held' /*skus l.sku*/ GROUP BY l.sku
        ) h ON h.sku = v.sku WHERE v.reserved <> coalesce(h.held, 0) /*skus v.sku*/ ORDER BY v.sku""",
    ),
    Rule(
        "ledger",
        "stock",
        _LEVELS,
        """SELECT 'SKU ' || v.sku, format('%%s on hand, %%s in the ledger', v.on_hand, coalesce(m.sum, 0))
        FROM stock_level v LEFT JOIN (
            SELECT sku, sum(quantity) FROM stock_movement WHERE true /*skus sku*/ GROUP BY sku
        ) m ON m.sku = v.sku
        WHERE v.on_hand <> coalesce(m.sum, 0) /*skus v.sku*/ ORDER BY v.sku""",
    ),
    Rule(
        "ledger-prefix",
        "stock",
        "SELECT count(*) FROM stock_movement WHERE true /*skus sku*/",
        """SELECT 'SKU ' || sku, format('the ledger comes down to %%s at entry %%s', min(sum), min(id))
        FROM (
            SELECT sku, id, sum(quantity) OVER (PARTITION BY sku ORDER BY id)
            FROM stock_movement WHERE true /*skus sku*/
        ) running
        WHERE sum < 0 GROUP BY sku ORDER BY sku""",
    ),
    Rule(
        "keys",
        "orders",
        "SELECT count(*) FROM idempotency_idempotencyrecord WHERE true /*keys_of_ids id*/",
        """SELECT 'key ' || min(r.id),
            format('%%s orders: %%s', count(*), string_agg(o.id::text, ', ' ORDER BY o.number))
        FROM idempotency_idempotencyrecord r JOIN orders_order o ON o.idempotency_id = r.id
        WHERE o.state <> 'rejected' /*ids o.id*/ GROUP BY r.scope, r.key HAVING count(*) > 1""",
    ),
    Rule(
        "live-carts",
        "orders",
        _ORDERS,
        f"""SELECT 'cart ' || cart, format('%%s orders: %%s', count(*), string_agg(id::text, ', ' ORDER BY number))
        FROM orders_order WHERE state IN {LIVE} /*ids id*/ GROUP BY cart HAVING count(*) > 1""",
    ),
    Rule(
        "cart-versions",
        "orders",
        _ORDERS,
        f"""SELECT format('cart %%s version %%s', cart, cart_version),
            format('%%s orders: %%s', count(*), string_agg(id::text, ', ' ORDER BY number))
        FROM orders_order WHERE state NOT IN {FAILED} AND cart_version IS NOT NULL /*ids id*/
        GROUP BY cart, cart_version HAVING count(*) > 1""",
    ),
    Rule(
        "prices",
        "products",
        "SELECT count(*) FROM products_product p WHERE status = 'active' /*products_of_skus p.id*/",
        """SELECT 'product ' || p.slug, format('on sale for %%s, its cheapest variant costs %%s',
            coalesce(p.min_price::text, 'nothing'), coalesce(min(v.price)::text, 'nothing: there is none'))
        FROM products_product p LEFT JOIN products_variant v ON v.product_id = p.id
        WHERE p.status = 'active' /*products_of_skus p.id*/
        GROUP BY p.id HAVING p.min_price IS DISTINCT FROM min(v.price)""",
    ),
)
