"""Load Balancing: whether the two products instances share the work."""

from dashboards.model import GREEN, RED, YELLOW, Dashboard, Panel, Query, Variable

_U = 'route="products",upstream=~"$upstream"'
_RATE = f"sum by (upstream) (rate(gateway_upstream_duration_seconds_count{{{_U}}}[$__rate_interval]))"
_BUCKETS = 'rate(gateway_request_duration_seconds_bucket{route="products",upstream=~"$upstream",upstream!=""}'
_FAILURES = 'gateway_upstream_failures_total{upstream=~"$upstream"}'


def _quantile(q: float) -> Query:
    expr = f"histogram_quantile({q}, sum by (upstream, le) ({_BUCKETS}[$__rate_interval])))"
    return Query(expr, f"{{{{upstream}}}} p{q * 100:g}")


DASHBOARD = Dashboard(
    file="load-balancing",
    uid="comptoir-balancing",
    title="Load Balancing",
    description="Whether the products instances share the work, and what the gateway does when one of them fails.",
    variables=[
        Variable("upstream", 'label_values(gateway_upstream_failures_total{upstream=~"products-.*"}, upstream)')
    ],
    rows={
        "Shares": [
            Panel(
                "Requests a second by instance",
                "Answered by each products instance through the gateway; what the cache answers reaches none.",
                [Query(_RATE, "{{upstream}}")],
                unit="reqps",
                width=12,
            ),
            Panel(
                "Share by instance",
                "Of the requests that reached an instance. least_conn gives the next one to whoever has fewest open, so"
                " a slow instance gets less. Below a quarter for ten minutes: an alert.",
                [Query(f"{_RATE} / scalar(sum({_RATE}))", "{{upstream}}")],
                unit="percentunit",
                width=12,
                most=1,
                stacked=True,
            ),
            Panel(
                "Fairness",
                "The least busy instance's requests for one of the busiest: 100 % is an even share.",
                [Query(f"min({_RATE}) / max({_RATE})", "fairness")],
                kind="stat",
                unit="percentunit",
                width=6,
                base=RED,
                steps=[(0.33, YELLOW), (0.8, GREEN)],
            ),
            Panel(
                "Since the start",
                "Requests that each instance has answered.",
                [Query(f"sum by (upstream) (gateway_upstream_duration_seconds_count{{{_U}}})", "{{upstream}}")],
                kind="bargauge",
                width=9,
            ),
            Panel(
                "Busy threads",
                "Requests that each instance works on at this moment.",
                [Query('server_threads_busy{instance=~"$upstream",service="products"}', "{{instance}}")],
                width=9,
            ),
        ],
        "Time": [
            Panel(
                "Time by instance",
                "p50 and p95 of requests that the instance answered, as the client saw it. The two should not part.",
                [_quantile(0.5), _quantile(0.95)],
                unit="s",
                width=12,
                steps=[(0.3, YELLOW)],
            ),
            Panel(
                "Mean time by instance",
                "What the answering instance itself took.",
                [Query(f"{_RATE.replace('_count', '_sum')} / {_RATE}", "{{upstream}}")],
                unit="s",
                width=12,
            ),
        ],
        "Failures": [
            Panel(
                "Failed attempts",
                "Each read is tried again at the other instance, so that clients see none of it. Two failures within a"
                " second take the instance out for that second.",
                [Query(f"rate({_FAILURES}[$__rate_interval])", "{{upstream}}")],
                unit="reqps",
                width=8,
                steps=[(0.1, YELLOW)],
            ),
            Panel(
                "Failed attempts in the time shown",
                "0 is what to expect; a restart costs a few.",
                [Query(f"round(increase({_FAILURES}[$__range]))", "{{upstream}}")],
                kind="stat",
                width=8,
                steps=[(1, YELLOW), (100, RED)],
            ),
            Panel(
                "Products, as cart and orders see them",
                "Services call the instances themselves, in turn: calls that were tried again, and open breakers.",
                [
                    Query(
                        'sum by (service) (rate(service_call_retries_total{target="products"}[$__rate_interval]))',
                        "{{service}} retries",
                    ),
                    Query('service_breaker_open{target="products"}', "{{instance}} breaker {{address}}"),
                ],
                width=8,
                steps=[(1, RED)],
            ),
        ],
    },
)
