"""Service Health: which instance is up, since when, and how it is."""

from dashboards.model import GREEN, RED, YELLOW, Dashboard, Panel, Query, Variable

_I = 'instance=~"$instance"'
_ALL = f"sum by (instance) (rate(django_http_responses_total_by_status_view_method_total{{{_I}}}[$__rate_interval]))"
_FAILED = _ALL.replace(_I, f'{_I},status=~"5.."')


def _p95(metric: str) -> str:
    return f"histogram_quantile(0.95, sum by (instance, le) (rate({metric}_bucket{{{_I}}}[$__rate_interval])))"


DASHBOARD = Dashboard(
    file="service-health",
    uid="comptoir-health",
    title="Service Health",
    description="Which instance is up, since when, and how it is. Begin here.",
    variables=[Variable("instance", "label_values(up, instance)")],
    rows={
        "Is it well?": [
            Panel(
                "Alerts",
                "Alerts that fire now; Prometheus lists them at /alerts, each with its runbook in monitoring/runbooks.",
                [Query('count(ALERTS{alertstate="firing"}) or vector(0)', "firing")],
                kind="stat",
                width=3,
                height=5,
                steps=[(1, RED)],
            ),
            Panel(
                "Error budget left",
                "Of three days' budget: 99.9 % without 5xx, 99 % of product reads in 300 ms, of checkouts in 1.5 s."
                " Below zero the objective is missed.",
                [
                    Query('1 - slo:bad_requests:ratio_rate3d{slo="availability"} / 0.001', "availability"),
                    Query('1 - slo:bad_requests:ratio_rate3d{slo=~"product_reads|checkouts"} / 0.01', "{{slo}}"),
                ],
                kind="stat",
                unit="percentunit",
                width=6,
                height=5,
                base=RED,
                steps=[(0, YELLOW), (0.5, GREEN)],
            ),
            Panel(
                "Up",
                "Whether each process answers Prometheus.",
                [Query(f"up{{{_I}}}", "{{instance}}")],
                kind="stat",
                width=15,
                height=5,
                words={"0": ("down", RED), "1": ("up", GREEN)},
            ),
            Panel(
                "Ready",
                "Whether each web instance would serve: /readyz, which asks the database too.",
                [Query('instance_ready{target=~"$instance"}', "{{target}}")],
                kind="stat",
                width=9,
                height=5,
                words={"0": ("not ready", RED), "1": ("ready", GREEN)},
            ),
            Panel(
                "Running for",
                "Time since the process started.",
                [Query(f"time() - process_start_time_seconds{{{_I}}}", "{{instance}}")],
                kind="stat",
                unit="dtdurations",
                width=15,
                height=5,
            ),
            Panel(
                "Restarts in the last hour",
                "How often a process began anew. A reload (make reload) is no restart.",
                [Query(f"changes(process_start_time_seconds{{{_I}}}[1h])", "{{instance}}")],
                kind="bargauge",
                steps=[(1, YELLOW), (3, RED)],
            ),
            Panel(
                "What runs",
                "A digest of the code, and what it stands on. Two instances of a service with different code: a deploy"
                " that did not end.",
                [Query(f"comptoir_build_info{{{_I}}}")],
                kind="table",
                width=16,
            ),
        ],
        "Requests": [
            Panel(
                "Requests a second",
                "Answered by each web instance, calls between services included.",
                [Query(_ALL, "{{instance}}")],
                unit="reqps",
            ),
            Panel(
                "Error rate",
                "Share of 5xx answers. The objective allows 0.1 %.",
                [Query(f"({_FAILED} or 0 * {_ALL}) / {_ALL}", "{{instance}}")],
                unit="percentunit",
                steps=[(0.001, RED)],
            ),
            Panel(
                "Latency, p95",
                "19 of 20 requests took at most this long inside the service, without the queue.",
                [Query(_p95("django_http_requests_latency_seconds_by_view_method"), "{{instance}}")],
                unit="s",
            ),
            Panel(
                "Time in the queue, p95",
                "From when a request left the gateway or another service until a thread looked at it.",
                [Query(_p95("http_request_queue_seconds"), "{{instance}}")],
                unit="s",
                steps=[(0.1, YELLOW)],
            ),
            Panel(
                "Busy threads",
                "Share of an instance's threads at work on a request. At 100 % requests wait.",
                [Query(f"server_threads_busy{{{_I}}} / server_threads{{{_I}}}", "{{instance}}")],
                unit="percentunit",
                most=1,
                steps=[(0.9, RED)],
            ),
            Panel(
                "Requests that wait",
                "Connections with a request for which no thread is free.",
                [Query(f"server_queue_requests{{{_I}}}", "{{instance}}")],
            ),
        ],
        "Processes": [
            Panel(
                "CPU",
                "Cores that each instance uses: master and workers.",
                [Query(f"rate(process_cpu_seconds_total{{{_I}}}[$__rate_interval])", "{{instance}}")],
                unit="none",
                stacked=True,
            ),
            Panel(
                "Memory",
                "Resident memory of master and workers; what they share is counted in each.",
                [Query(f"process_resident_memory_bytes{{{_I}}}", "{{instance}}")],
                unit="bytes",
            ),
            Panel(
                "Workers' tasks: time since the last good run",
                "Each runs at least once a minute; after five minutes an alert pages.",
                [Query(f"time() - worker_last_run_timestamp_seconds{{{_I}}}", "{{instance}} {{task}}")],
                unit="s",
                steps=[(300, RED)],
            ),
        ],
        "Calls between services": [
            Panel(
                "Calls by outcome",
                "ok, refused (a certain no, such as short stock), failed (no answer), open (kept back by the breaker).",
                [
                    Query(
                        f"sum by (service, target, outcome) (rate(service_calls_total{{{_I}}}[$__rate_interval]))",
                        "{{service}} → {{target}} {{outcome}}",
                    )
                ],
                unit="reqps",
            ),
            Panel(
                "Retries",
                "Attempts after the first. A budget holds them to a tenth of the calls.",
                [
                    Query(
                        f"sum by (service, target) (rate(service_call_retries_total{{{_I}}}[$__rate_interval]))",
                        "{{service}} → {{target}}",
                    )
                ],
                unit="reqps",
            ),
            Panel(
                "Breakers",
                "1 while calls to an address are kept back: ten in a row brought no answer.",
                [Query(f"service_breaker_open{{{_I}}}", "{{instance}} → {{target}} {{address}}")],
                most=1,
                steps=[(1, RED)],
            ),
        ],
    },
)
