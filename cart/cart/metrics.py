"""What this service counts of its business; refusals are counted by code in chassis.problems."""

from prometheus_client import Counter

CARTS = Counter("cart_carts_total", "Carts by what became of them.", ["event"])
LINES = Counter("cart_lines_total", "Changes of lines by kind.", ["change"])

# Counters start at 0, so that a panel has a series before the first event.
for _event in ("opened", "claimed", "deleted", "checked_out", "bought", "forgotten"):
    CARTS.labels(_event)
for _change in ("set", "removed"):
    LINES.labels(_change)
