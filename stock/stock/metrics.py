"""What this service counts of its business, and what its worker measures in the database."""

from chassis.measures import Measure, query
from prometheus_client import Counter

RESERVATIONS = Counter("stock_reservations_total", "Reservations by what became of them.", ["outcome"])
MOVEMENTS = Counter("stock_movements_total", "Ledger entries by kind.", ["kind"])

# Counters start at 0, so that a panel has a series before the first event.
for _outcome in ("held", "renewed", "short", "committed", "released", "expired", "returned"):
    RESERVATIONS.labels(_outcome)
for _kind in ("receipt", "adjustment", "sale", "return"):
    MOVEMENTS.labels(_kind)

_SELLERS = 10
# The ledger's last entries by its key: what this costs does not grow with the ledger.
_BEST_SELLERS = f"""
    WITH latest AS (
        SELECT sku, quantity FROM stock_movement
        WHERE kind = 'sale' AND id > (SELECT coalesce(max(id), 0) FROM stock_movement) - 20000
    ), best AS (
        SELECT sku FROM latest GROUP BY sku ORDER BY sum(quantity), sku LIMIT {_SELLERS}
    )
    SELECT sku, on_hand - reserved FROM best JOIN stock_level USING (sku)
"""
MEASURES = [
    Measure(
        "stock_reservations_held",
        "Reservations that hold goods at the moment.",
        query("SELECT count(*) FROM stock_reservation WHERE state = 'held'"),
    ),
    Measure(
        "stock_reservations_overdue_seconds",
        "How long the oldest reservation is beyond its time and still holds goods: this worker's lag.",
        query(
            """SELECT greatest(0, extract(epoch FROM now() - min(expires))) FROM stock_reservation
               WHERE state = 'held'"""
        ),
    ),
    Measure(
        "stock_levels_below_reorder_point",
        "SKUs of which less can be sold than their reorder point.",
        query("SELECT count(*) FROM stock_level WHERE on_hand - reserved < reorder_point"),
        every=60.0,
    ),
    Measure(
        "stock_levels_out_of_stock",
        "SKUs that were received once and cannot be sold any more.",
        query("SELECT count(*) FROM stock_level WHERE on_hand - reserved <= 0"),
        every=60.0,
    ),
    Measure(
        "stock_best_seller_available",
        f"What can be sold of the {_SELLERS} SKUs that sold most lately.",
        query(_BEST_SELLERS),
        labels=["sku"],
        every=15.0,
    ),
]
