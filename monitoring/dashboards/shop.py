"""Shop: orders, money, and what keeps buyers from buying."""

from dashboards.model import GREEN, RED, YELLOW, Dashboard, Panel, Query, Variable

_STEPS = {
    "carts opened": 'sum(increase(cart_carts_total{event="opened"}[$__range]))',
    "carts checked out": 'sum(increase(cart_carts_total{event="checked_out"}[$__range]))',
    "orders placed": "sum(increase(orders_checkout_seconds_count[$__range]))",
    "goods reserved": 'sum(increase(orders_transitions_total{state="reserved"}[$__range]))',
    "paid": 'sum(increase(orders_transitions_total{state="paid"}[$__range]))',
    "confirmed": 'sum(increase(orders_transitions_total{state="confirmed"}[$__range]))',
}


def _p95(metric: str, label: str) -> Query:
    rate = f"rate({metric}_bucket[$__rate_interval])"
    return Query(f"histogram_quantile(0.95, sum by ({label}, le) ({rate}))", f"{{{{{label}}}}}")


def _rates(metric: str, label: str, scale: str = "") -> Query:
    return Query(f"{scale}sum by ({label}) (rate({metric}[$__rate_interval]))", f"{{{{{label}}}}}")


DASHBOARD = Dashboard(
    file="shop",
    uid="comptoir-shop",
    title="Shop",
    description="Orders, money, and what keeps buyers from buying.",
    variables=[Variable("instance", 'label_values(up{job="worker"}, instance)')],
    rows={
        "Business": [
            Panel(
                "Orders a minute",
                "Confirmed: the buyer has the shop's word.",
                [Query('60 * sum(rate(orders_transitions_total{state="confirmed"}[$__rate_interval]))', "orders")],
                unit="opm",
            ),
            Panel(
                "Revenue a minute",
                "Confirmed turnover, in minor units of the currency: cents for USD.",
                [_rates("orders_revenue_minor_units_total", "currency", "60 * ")],
            ),
            Panel(
                "Checkout funnel",
                "In the time shown. From opening a cart to a confirmed order.",
                [Query(expr, name) for name, expr in _STEPS.items()],
                kind="bargauge",
            ),
            Panel(
                "Orders by state that they entered",
                "Per minute; docs/architecture.md has the picture of all states.",
                [_rates("orders_transitions_total", "state", "60 * ")],
                unit="opm",
                width=12,
            ),
            Panel(
                "Carts",
                "Per minute: opened, claimed by a customer who signed in, checked out, bought, deleted, forgotten.",
                [_rates("cart_carts_total", "event", "60 * ")],
                unit="opm",
                width=12,
            ),
        ],
        "What keeps buyers from buying": [
            Panel(
                "Checkouts refused, by reason",
                "Per minute. Short stock and declined payments are part of the business; the rest deserves a look.",
                [_rates("orders_refusals_total", "code", "60 * ")],
                unit="opm",
                stacked=True,
            ),
            Panel(
                "Other refusals, by reason",
                "Problem documents of all services, per minute.",
                [_rates("problems_total", "code", "60 * ")],
                unit="opm",
            ),
            Panel(
                "Sign-ins",
                "Per minute. Failed ones in numbers: somebody tries passwords.",
                [_rates("customers_sign_ins_total", "outcome", "60 * ")],
                unit="opm",
            ),
            Panel(
                "Best sellers: what can be sold",
                "The ten SKUs that sold most lately. Red: out of stock.",
                [Query("stock_best_seller_available", "{{sku}}")],
                kind="bargauge",
                width=12,
                base=RED,
                steps=[(1, YELLOW), (10, GREEN)],
            ),
            Panel(
                "Low and out",
                "SKUs below their reorder point, and SKUs of which nothing can be sold.",
                [
                    Query("stock_levels_below_reorder_point", "below reorder point"),
                    Query("stock_levels_out_of_stock", "out of stock"),
                ],
                kind="stat",
                width=12,
                steps=[(1, YELLOW)],
            ),
        ],
        "Checkout": [
            Panel(
                "Duration, p95, by outcome",
                "created (201), accepted (202, goes on by itself), refused, unavailable (503). The objective is 1.5 s.",
                [_p95("orders_checkout_seconds", "outcome")],
                unit="s",
                steps=[(1.5, RED)],
            ),
            Panel(
                "Duration, p95, by step",
                "By the state in which a step begins: pending reads cart and prices and reserves, paying charges,"
                " confirmed commits the stock, stock_committed empties the cart.",
                [_p95("orders_checkout_step_seconds", "step")],
                unit="s",
            ),
            Panel(
                "Steps that did not end well",
                "Per minute: refused, unavailable (will be tried again), stopped (somebody else has the order).",
                [
                    Query(
                        '60 * sum by (step, outcome) (rate(orders_checkout_step_seconds_count{outcome!="done"}'
                        "[$__rate_interval])) or vector(0)",
                        "{{step}} {{outcome}}",
                    )
                ],
                unit="opm",
            ),
            Panel(
                "Reservations",
                "Per minute, by what became of them. Expired ones were held for nobody.",
                [_rates("stock_reservations_total", "outcome", "60 * ")],
                unit="opm",
                width=12,
            ),
            Panel(
                "Reservations held",
                "That hold goods at this moment.",
                [Query("stock_reservations_held", "held")],
                width=12,
            ),
        ],
        "What happens by itself": [
            Panel(
                "Worker lag",
                "How long the oldest order that is not at rest has waited, and how long an expired reservation still"
                " holds goods. After a minute an alert tells.",
                [
                    Query('orders_oldest_under_way_seconds{instance=~"$instance"}', "{{instance}}"),
                    Query('stock_reservations_overdue_seconds{instance=~"$instance"}', "{{instance}}"),
                ],
                unit="s",
                steps=[(60, YELLOW), (900, RED)],
            ),
            Panel(
                "Orders under way",
                "Not at rest, by state. Many in one state: what that state calls does not answer.",
                [Query('sum by (state) (orders_under_way{instance=~"$instance"})', "{{state}}")],
                stacked=True,
            ),
            Panel(
                "Outbox lag",
                "Age of the oldest mail that is not sent.",
                [Query('outbox_lag_seconds{instance=~"$instance"}', "{{service}}")],
                unit="s",
                steps=[(900, YELLOW)],
            ),
            Panel(
                "Orders stuck",
                "Have not moved for 15 minutes. Must be 0.",
                [Query("orders_stuck", "stuck")],
                kind="stat",
                steps=[(1, RED)],
            ),
            Panel(
                "Stock that nothing explains",
                "SKUs whose level is not what ledger and reservations say. Must be 0.",
                [Query("stock_ledger_drift_skus", "SKUs")],
                kind="stat",
                steps=[(1, RED)],
            ),
            Panel(
                "Audited levels",
                "A second: the standing audit goes round all SKUs.",
                [Query("rate(stock_ledger_audited_levels_total[$__rate_interval])", "levels")],
                unit="ops",
            ),
        ],
    },
)
