"""Every panel against a real Prometheus that scrapes a real shop under load: each has something to show.

Grafana itself comes from no package registry, so nobody has seen these dashboards drawn.
"""

import json
import math
import subprocess
import time
import urllib.request

import pytest
from local.shop import Shop

from dashboards.__main__ import FOLDER
from tests.expressions import PanelQuery, queries
from tests.load import Visitor, load
from tests.watched import prometheus

QUERIES = [query for path in sorted(FOLDER.glob("*.json")) for query in queries(json.loads(path.read_text()))]
SECONDS = 90
"""Within which every panel must have something to show; a rate needs two scrapes, a recorded ratio two evaluations."""


def series(shop: Shop, query: PanelQuery) -> int:
    """How many series the expression has now that are a number."""
    found = prometheus(shop, "query", query=query.runnable())["result"]
    return sum(not math.isnan(float(each["value"][1])) for each in found)


def table(found: dict[PanelQuery, int]) -> str:
    """Panel, expression, series found."""
    lines = [f"{'dashboard':<16}{'panel':<48}{'series':>7}  expression"]
    for query, count in found.items():
        lines.append(f"{query.dashboard:<16}{query.panel:<48}{count:>7}  {query.expr}")
    return "\n".join(lines)


@pytest.fixture(scope="module")
def found(shop: Shop) -> dict[PanelQuery, int]:
    """The series of each expression, once all have some, or when the time is over."""
    visitor, end = Visitor(shop.url), time.monotonic() + SECONDS
    assert visitor.buy() == 201
    with load(shop.url):
        counts = {query: series(shop, query) for query in QUERIES}
        while not all(counts.values()) and time.monotonic() < end:
            time.sleep(2)
            counts |= {query: series(shop, query) for query, count in counts.items() if not count}
    return counts


def test_every_panel_has_something_to_show(found: dict[PanelQuery, int], capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\n{table(found)}")
    assert [query for query, count in found.items() if not count] == []


def test_every_instance_is_a_target_with_its_service(shop: Shop, found: dict[PanelQuery, int]) -> None:
    targets = prometheus(shop, "targets")["activeTargets"]
    assert {target["health"] for target in targets} == {"up"}
    services = {target["labels"]["instance"]: target["labels"]["service"] for target in targets}
    assert services == {
        **{"gateway": "gateway", "exporter": "databases", "prometheus": "prometheus"},
        **{"products-1": "products", "products-2": "products", "cart": "cart"},
        **{name: name.removesuffix("-worker") for name in ("stock", "customers", "orders")},
        **{f"{name}-worker": name for name in ("stock", "customers", "orders")},
    }
    assert max(target["lastScrapeDuration"] for target in targets) < 2


def test_label_values_are_bounded(shop: Shop, found: dict[PanelQuery, int]) -> None:
    """Whatever was asked for, no path, id or address has become a label."""
    counts = prometheus(shop, "query", query="topk(20, count by (__name__) ({job=~'.+', __name__!~'.*_bucket'}))")[
        "result"
    ]
    most = {each["metric"]["__name__"]: int(each["value"][1]) for each in counts}
    assert max(most.values()) < 250, most
    labels = prometheus(shop, "labels")
    values = {value for label in labels for value in prometheus(shop, f"label/{label}/values")}
    assert not [value for value in values if "nothing-of-that-name" in value or "@" in value]


def test_rules_and_alerts_are_evaluated_without_an_error(shop: Shop, found: dict[PanelQuery, int]) -> None:
    rules = [rule for group in prometheus(shop, "rules")["groups"] for rule in group["rules"]]
    assert len(rules) > 40
    assert [rule["name"] for rule in rules if rule.get("lastError")] == []
    firing = {rule["name"] for rule in rules if rule.get("state") == "firing"}
    assert firing <= {"CertificateExpires"}, "the test's own certificate ends in nine days"


def test_every_metric_of_the_alerts_exists(shop: Shop, found: dict[PanelQuery, int]) -> None:
    """An alert on a name that nobody exports never fires, and its rule test would not tell."""
    wanted = {
        *("up", "instance_ready", "orders_stuck", "orders_oldest_under_way_seconds", "outbox_lag_seconds"),
        *("stock_reservations_overdue_seconds", "stock_ledger_drift_skus", "worker_last_run_timestamp_seconds"),
        *("probe_ssl_earliest_cert_expiry", "pg_up", "server:pg_connections:ratio", "slo:requests:rate1h"),
        *("slo:bad_requests:ratio_rate3d", "instance:server_threads_busy:ratio_avg5m"),
        "route_upstream:gateway_upstream_requests:share5m",
    }
    end = time.monotonic() + SECONDS
    while missing := wanted - set(prometheus(shop, "label/__name__/values")):
        assert time.monotonic() < end, missing
        time.sleep(2)


def test_every_instance_s_metrics_are_clean(shop: Shop, found: dict[PanelQuery, int], promtool: str) -> None:
    for name, port in shop.ports.items():
        if name.endswith("_METRICS_PORT") and name != "EXPORTER_METRICS_PORT":
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
                text = answer.read()
            done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False)
            assert (done.returncode, done.stderr) == (0, b""), name
