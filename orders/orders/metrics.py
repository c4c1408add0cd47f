"""What this service counts of its business."""

from prometheus_client import Counter, Histogram

from orders.models import State

TRANSITIONS = Counter("orders_transitions_total", "Orders that entered a state.", ["state"])
REFUSALS = Counter("orders_refusals_total", "Orders refused, by reason.", ["code"])
REVENUE = Counter("orders_revenue_minor_units_total", "Confirmed turnover, in minor units.", ["currency"])
CHECKOUT = Histogram(
    "orders_checkout_seconds",
    "How long placing an order took, by outcome.",
    ["outcome"],
    buckets=(0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 1.5, 2.5, 5.0, 10.0),
)

# Counters start at 0, so that a panel has a series before the first event.
for _state in State:
    TRANSITIONS.labels(_state)
for _outcome in ("created", "accepted", "refused", "unavailable"):
    CHECKOUT.labels(_outcome)
for _code in (
    "cart_not_found",
    "cart_empty",
    "cart_already_ordered",
    "product_unavailable",
    "total_changed",
    "insufficient_stock",
    "payment_declined",
    "order_cancelled",
    "abandoned",
):
    REFUSALS.labels(_code)
