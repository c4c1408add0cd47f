"""What this service counts of its business."""

from prometheus_client import Counter

RESERVATIONS = Counter("stock_reservations_total", "Reservations by what became of them.", ["outcome"])
MOVEMENTS = Counter("stock_movements_total", "Ledger entries by kind.", ["kind"])

# Counters start at 0, so that a panel has a series before the first event.
for _outcome in ("held", "renewed", "short", "committed", "released", "expired", "returned"):
    RESERVATIONS.labels(_outcome)
for _kind in ("receipt", "adjustment", "sale", "return"):
    MOVEMENTS.labels(_kind)
