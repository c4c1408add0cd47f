"""API Gateway: what clients experience, as nginx counts it."""

from dashboards.model import GREEN, RED, YELLOW, Dashboard, Panel, Query, Variable

_R = 'route=~"$route"'
_REQUESTS = f"rate(gateway_requests_total{{{_R}}}[$__rate_interval])"
_REFUSED = _REQUESTS.replace(_R, f'{_R},status=~"[45]xx"')
_BY_ROUTE = f"sum by (route) ({_REQUESTS})"


def _failed(status: str) -> str:
    return _BY_ROUTE.replace(_R, f'{_R},status="{status}"')


def _quantile(q: float) -> str:
    rate = f"rate(gateway_request_duration_seconds_bucket{{{_R}}}[$__rate_interval])"
    return f"histogram_quantile({q}, sum by (route, le) ({rate}))"


def _mean(metric: str) -> str:
    parts = (f"sum by (route) (rate({metric}_{part}{{{_R}}}[$__rate_interval]))" for part in ("sum", "count"))
    return " / ".join(parts)


_CACHED = 'rate(gateway_request_duration_seconds_count{route="products",cache=~"%s"}[$__rate_interval])'

DASHBOARD = Dashboard(
    file="api-gateway",
    uid="comptoir-gateway",
    title="API Gateway",
    description="What clients experience: throughput, errors, latency, cache and limits, as nginx counts them.",
    variables=[Variable("route", "label_values(gateway_requests_total, route)")],
    rows={
        "At a glance": [
            Panel(
                "Requests a second",
                "All that the gateway answers.",
                [Query(f"sum({_REQUESTS})", "requests")],
                kind="stat",
                unit="reqps",
                width=6,
                height=4,
            ),
            Panel(
                "Error rate",
                "Share of 5xx. The objective allows 0.1 %.",
                [Query(f"sum({_failed('5xx')}) / sum({_REQUESTS})", "5xx")],
                kind="stat",
                unit="percentunit",
                width=6,
                height=4,
                steps=[(0.001, YELLOW), (0.01, RED)],
            ),
            Panel(
                "Product reads within 300 ms",
                "Over five minutes. The objective is 99 %.",
                [Query('1 - slo:bad_requests:ratio_rate5m{slo="product_reads"}', "within 300 ms")],
                kind="stat",
                unit="percentunit",
                width=6,
                height=4,
                base=RED,
                steps=[(0.99, GREEN)],
            ),
            Panel(
                "Certificates end in",
                "What TLS servers named in CERTIFICATES show; an alert comes two weeks before.",
                [Query("probe_ssl_earliest_cert_expiry - time()", "{{target}}")],
                kind="stat",
                unit="s",
                width=6,
                height=4,
                base=RED,
                steps=[(3 * 86400, YELLOW), (14 * 86400, GREEN)],
            ),
        ],
        "Requests": [
            Panel("Requests by route", "Answered per second.", [Query(_BY_ROUTE, "{{route}}")], "reqps", stacked=True),
            Panel(
                "Requests by status",
                "Answered per second, by class of status.",
                [Query(f"sum by (status) ({_REQUESTS})", "{{status}}")],
                unit="reqps",
                stacked=True,
            ),
            Panel(
                "Error rate by status",
                "Share of all requests that ended in this class. 4xx are refusals, such as short stock.",
                [Query(f"sum by (status) ({_REFUSED}) / scalar(sum({_REQUESTS}))", "{{status}}")],
                unit="percentunit",
                steps=[(0.001, YELLOW)],
            ),
            Panel(
                "5xx by route",
                "Share of a route's requests that failed.",
                [Query(f"{_failed('5xx')} / {_BY_ROUTE}", "{{route}}")],
                unit="percentunit",
                steps=[(0.001, RED)],
            ),
            Panel(
                "Rate-limited requests",
                "Answered with 429, because a client asked too much (nginx/README.md has the limits).",
                [Query(f"rate(gateway_limited_requests_total{{{_R}}}[$__rate_interval])", "{{route}}")],
                unit="reqps",
                steps=[(1, YELLOW)],
            ),
            Panel(
                "Cache hit ratio",
                "Share of product reads that came from the micro-cache, stale answers included. Signed-in reads and"
                " writes pass it by.",
                [
                    Query(
                        f"sum({_CACHED % 'HIT|STALE|UPDATING|REVALIDATED'}) / sum({_CACHED % '.*'})"
                        f" or 0 * sum({_CACHED % '.*'})",
                        "hits",
                    )
                ],
                unit="percentunit",
                most=1,
            ),
        ],
        "Latency": [
            Panel(
                "p50 by route",
                "Half of the requests took at most this long.",
                [Query(_quantile(0.5), "{{route}}")],
                "s",
            ),
            Panel(
                "p95 by route",
                "19 of 20 requests took at most this long. Dashed: 300 ms for product reads, 1.5 s for checkouts.",
                [Query(_quantile(0.95), "{{route}}")],
                unit="s",
                steps=[(0.3, YELLOW), (1.5, RED)],
            ),
            Panel("p99 by route", "99 of 100 took at most this long.", [Query(_quantile(0.99), "{{route}}")], "s"),
            Panel(
                "Upstream time against total",
                "Mean time of a request, and the part of it that a service took. What lies between is the client's"
                " line, failed attempts, and the gateway.",
                [
                    Query(_mean("gateway_request_duration_seconds"), "{{route}} total"),
                    Query(_mean("gateway_upstream_duration_seconds"), "{{route}} upstream"),
                ],
                unit="s",
                width=24,
            ),
        ],
    },
)
