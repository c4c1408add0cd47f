"""What this service counts of its business, and what its worker measures in the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from chassis.errors import DomainError, Unavailable
from chassis.measures import Measure, query
from django.conf import settings
from prometheus_client import Counter, Histogram

from orders.models import UNDER_WAY, State

TRANSITIONS = Counter("orders_transitions_total", "Orders that entered a state.", ["state"])
REFUSALS = Counter("orders_refusals_total", "Orders refused, by reason.", ["code"])
REVENUE = Counter("orders_revenue_minor_units_total", "Confirmed turnover, in minor units.", ["currency"])
CHECKOUT = Histogram(
    "orders_checkout_seconds",
    "How long placing an order took, by outcome.",
    ["outcome"],
    buckets=(0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 1.5, 2.5, 5.0, 10.0),
)
STEP = Histogram(
    "orders_checkout_step_seconds",
    "How long a step of the checkout took, by the state that it began in and by how it ended.",
    ["step", "outcome"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0),
)
MAILS = Counter("orders_mails_total", "Mails of the outbox by outcome.", ["outcome"])

# Counters start at 0, so that a panel has a series before the first event.
REVENUE.labels(settings.CURRENCY)
for _state in UNDER_WAY:
    STEP.labels(_state, "done")
for _outcome in ("sent", "failed"):
    MAILS.labels(_outcome)
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


@contextmanager
def timed(step: str) -> Iterator[None]:
    """Times a step of the checkout, once for all orders that take it together.

    It ends done, refused, unavailable, or stopped, because somebody else has the order.
    """
    began, outcome = perf_counter(), "stopped"
    try:
        yield
        outcome = "done"
    except Unavailable:
        outcome = "unavailable"
        raise
    except DomainError:
        outcome = "refused"
        raise
    finally:
        STEP.labels(step, outcome).observe(perf_counter() - began)


# The condition of the partial index order_under_way, so that these cost as much as there is to do, whatever was done.
_STATES = ", ".join(f"'{state}'" for state in UNDER_WAY)
_UNDER_WAY = f"(state IN ({_STATES}) OR (cancel_requested IS NOT NULL AND state = 'completed'))"
_SINCE = "extract(epoch FROM now() - min(greatest(updated, cancel_requested)))"
MEASURES = [
    Measure(
        "orders_under_way",
        "Orders that are not at rest, by state.",
        query(
            f"""SELECT known.state, count(o.id) FROM unnest(ARRAY[{_STATES}, 'completed']) AS known (state)
                LEFT JOIN (SELECT id, state FROM orders_order WHERE {_UNDER_WAY}) o ON o.state = known.state
                GROUP BY known.state"""
        ),
        labels=["state"],
    ),
    Measure(
        "orders_oldest_under_way_seconds",
        "How long the order that is not at rest and waits longest has been in its state: the worker's lag.",
        query(f"SELECT {_SINCE} FROM orders_order WHERE {_UNDER_WAY}"),
    ),
    Measure(
        "orders_stuck",
        "Orders that are not at rest and have not moved for 15 minutes, when even a lost payment is voided.",
        query(
            f"""SELECT count(*) FROM orders_order
                WHERE {_UNDER_WAY} AND greatest(updated, cancel_requested) < now() - interval '15 minutes'"""
        ),
    ),
    Measure("outbox_mails", "Mails that are not sent.", query("SELECT count(*) FROM orders_mail WHERE sent IS NULL")),
    Measure(
        "outbox_lag_seconds",
        "Age of the oldest mail that is not sent.",
        query("SELECT extract(epoch FROM now() - min(created)) FROM orders_mail WHERE sent IS NULL"),
    ),
]
