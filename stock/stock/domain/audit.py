"""The standing audit: is what is on hand what the ledger says, and what is reserved what reservations hold?

`make audit` proves more, across all databases, when somebody asks. This goes round the levels all day, some at a time.
"""

import structlog
from django.db import connection
from prometheus_client import Counter, Gauge

_log = structlog.get_logger("audit")
# Here and not in stock.metrics, because only the worker knows.
DRIFT = Gauge("stock_ledger_drift_skus", "SKUs whose level differs from the ledger or from what reservations hold.")
AUDITED = Counter("stock_ledger_audited_levels_total", "Levels that were compared with the ledger.")

# One statement sees one moment.
_COMPARE = """
    WITH batch AS (
        SELECT sku, on_hand, reserved FROM stock_level WHERE sku > %(after)s ORDER BY sku LIMIT %(size)s
    ), held AS (
        SELECT line.sku, sum(line.quantity) AS quantity FROM stock_reservation r
        JOIN stock_reservationline line ON line.reservation_id = r.id WHERE r.state = 'held' GROUP BY line.sku
    )
    SELECT batch.sku, on_hand - ledger.quantity, reserved - coalesce(held.quantity, 0)
    FROM batch LEFT JOIN held USING (sku)
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(quantity), 0) AS quantity FROM stock_movement m WHERE m.sku = batch.sku
    ) ledger
    ORDER BY batch.sku
"""


class Audit:
    """Goes round all levels in SKU order. A SKU that was found wrong counts until a later round finds it right."""

    def __init__(self, size: int = 500) -> None:
        self._size, self._after = size, ""
        self._wrong: set[str] = set()

    def go_on(self) -> int:
        """Compares the next levels with the ledger; 0, for there is always time for the rest."""
        with connection.cursor() as cursor:
            cursor.execute(_COMPARE, {"after": self._after, "size": self._size})
            rows = cursor.fetchall()
        for sku, on_hand, reserved in rows:
            if on_hand or reserved:
                self._wrong.add(sku)
                _log.error("stock_drift", sku=sku, on_hand_off_by=int(on_hand), reserved_off_by=int(reserved))
            else:
                self._wrong.discard(sku)
        self._after = rows[-1][0] if len(rows) == self._size else ""
        AUDITED.inc(len(rows))
        DRIFT.set(len(self._wrong))
        return 0
