"""What Prometheus sees, read with its own parser."""

import http.client
import os
import shutil
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import Start
from tests.support.client import ask, raw
from tests.support.processes import Gateway, Upstream, free_port, wait_until

DURATION = "gateway_request_duration_seconds"


@pytest.fixture
def counted(start: Start, services: dict[str, Upstream]) -> Gateway:
    """A gateway that has counted nothing yet."""
    return start()


def samples(gateway: Gateway, name: str) -> dict[tuple[tuple[str, str], ...], float]:
    """Every sample of this name by its labels."""
    text = ask(gateway.metrics_port, "/metrics").body.decode()
    families = text_string_to_metric_families(text)
    return {
        tuple(sorted(it.labels.items())): it.value for family in families for it in family.samples if it.name == name
    }


def total(gateway: Gateway, name: str, **labels: str) -> float:
    """The sum of the samples that have these labels."""
    return sum(value for found, value in samples(gateway, name).items() if set(labels.items()) <= set(found))


def settle(gateway: Gateway, number: int) -> None:
    """Waits until so many requests are counted: a request is counted a moment after the client has its answer."""
    wait_until(lambda: total(gateway, f"{DURATION}_count") >= number, f"{number} requests are counted")


def test_every_request_is_counted_once_over_all_workers(counted: Gateway) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: ask(counted.port, f"/api/v1/carts/{i}", "PUT" if i % 4 == 0 else "GET"), range(400)))
    settle(counted, 400)
    put = {"route": "carts", "method": "PUT", "status": "2xx", "upstream": "cart", "cache": ""}
    assert samples(counted, f"{DURATION}_count") == {
        tuple(sorted(put.items())): 100.0,
        tuple(sorted((put | {"method": "GET"}).items())): 300.0,
    }
    assert total(counted, "gateway_upstream_duration_seconds_count", route="carts", upstream="cart") == 400


def test_the_histogram_is_cumulative_and_agrees_with_its_sum(counted: Gateway, services: dict[str, Upstream]) -> None:
    services["orders"].control(delay=0.12)
    for i in range(5):
        ask(counted.port, f"/api/v1/orders/{i}")
    settle(counted, 5)
    buckets = {dict(labels)["le"]: value for labels, value in samples(counted, f"{DURATION}_bucket").items()}
    values = [buckets[le] for le in sorted(buckets, key=float)]
    assert values == sorted(values)
    assert (buckets["0.1"], buckets["1"], buckets["+Inf"]) == (0, 5, 5)
    assert 0.6 <= total(counted, f"{DURATION}_sum") < 1.5
    assert {"0.3", "1.5"} <= set(buckets)


def test_cache_statuses_and_instances_are_told_apart(counted: Gateway, services: dict[str, Upstream]) -> None:
    for name in ("products-1", "products-2"):
        services[name].control(headers={"Cache-Control": "max-age=60"})
    for _ in range(4):
        ask(counted.port, "/api/v1/products/one")
    for i in range(20):
        ask(counted.port, f"/api/v1/products/{i}", headers={"Authorization": "x"})
    settle(counted, 24)
    assert total(counted, f"{DURATION}_count", cache="MISS") == 1
    assert total(counted, f"{DURATION}_count", cache="HIT", upstream="") == 3
    shares = [total(counted, f"{DURATION}_count", cache="BYPASS", upstream=f"products-{i}") for i in (1, 2)]
    assert sum(shares) == 20
    assert min(shares) > 0


def test_requests_by_route_and_status_start_at_zero(counted: Gateway, services: dict[str, Upstream]) -> None:
    name = "gateway_requests_total"
    assert total(counted, name, route="orders", status="5xx") == 0
    assert len(samples(counted, name)) == 15
    services["orders"].control(status=500)
    for _ in range(3):
        ask(counted.port, "/api/v1/orders/1")
    ask(counted.port, "/nowhere")
    settle(counted, 4)
    assert total(counted, name, route="orders", status="5xx") == 3
    assert total(counted, name, route="other", status="4xx") == 1
    assert total(counted, name) == total(counted, f"{DURATION}_count") == 4


def test_promtool_finds_nothing_to_mend(counted: Gateway) -> None:
    program = shutil.which("promtool")
    if program is None:
        assert "CI" not in os.environ, "promtool is missing: apt-get install prometheus"
        pytest.skip("promtool is not installed: apt-get install prometheus")
    ask(counted.port, "/api/v1/products/one")
    settle(counted, 1)
    text = ask(counted.metrics_port, "/metrics").body
    done = subprocess.run([program, "check", "metrics"], input=text, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_no_client_can_make_new_series(counted: Gateway) -> None:
    def ask_for_anything(i: int) -> None:
        ask(counted.port, f"/api/v1/products/{i}?q={i}", headers={"Authorization": "x", "X-Request-ID": str(i)})
        ask(counted.port, f"/path-{i}", f"METHOD{chr(65 + i % 26)}")
        ask(counted.port, f"/api/v1/stock/{i}", headers={"X-Served-By": str(i), "Host": f"h{i}"})
        raw(counted.port, f"{i} nonsense\r\n\r\n".encode())

    for i in range(5):
        ask_for_anything(i)
    settle(counted, 20)
    before = set(samples(counted, f"{DURATION}_count"))
    for i in range(5, 40):
        ask_for_anything(i)
    settle(counted, 160)
    after = set(samples(counted, f"{DURATION}_count"))
    assert {(dict(it)["route"], dict(it)["method"]) for it in after} == {
        ("products", "GET"),
        ("other", "OTHER"),
        ("other", "GET"),
    }
    assert after - before <= {it for it in after if dict(it)["route"] == "products"}
    assert len(after) <= 5


@pytest.mark.parametrize("path", ["/api/v1/products/one", "/api/v1/carts/1", "/nowhere"])
def test_counting_takes_no_memory_from_the_system(counted: Gateway, services: dict[str, Upstream], path: str) -> None:
    """A script whose memory goes back to the system after each request costs 12 µs more (README.md, Figures)."""
    for name in ("products-1", "products-2"):
        services[name].control(headers={"Cache-Control": "max-age=60"})
    connection = http.client.HTTPConnection("127.0.0.1", counted.port, timeout=10)

    def ask_often(times: int) -> None:
        for _ in range(times):
            connection.request("GET", path)
            connection.getresponse().read()

    ask_often(500)
    before = page_faults(counted)
    ask_often(1000)
    connection.close()
    assert page_faults(counted) - before < 300


def page_faults(gateway: Gateway) -> int:
    """How often the kernel has given a page of memory to one of the workers."""
    fields = [Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split() for pid in gateway.workers()]
    return sum(int(it[7]) for it in fields)


def test_counters_start_at_zero(counted: Gateway) -> None:
    failures = samples(counted, "gateway_upstream_failures_total")
    assert set(failures.values()) == {0}
    assert {dict(labels)["upstream"] for labels in failures} == {
        "products-1",
        "products-2",
        "stock",
        "customers",
        "cart",
        "orders",
    }
    assert set(samples(counted, "gateway_limited_requests_total").values()) == {0}


def test_a_limited_request_is_counted(start: Start) -> None:
    gateway = start(GATEWAY_BIND="0.0.0.0", LIMIT_RATE="1r/m", LIMIT_BURST="1")  # noqa: S104
    for _ in range(5):
        ask(gateway.port, "/api/v1/stock/1")
    settle(gateway, 5)
    assert total(gateway, "gateway_limited_requests_total", route="stock") == 3
    assert total(gateway, "gateway_limited_requests_total") == 3


def test_one_in_sixteen_is_counted_of_those_beyond_what_may_be_under_way(
    start: Start, services: dict[str, Upstream]
) -> None:
    """As sixteen. Of 2,000 that is 2,000, give or take 173 (binomial); the log has each of them."""
    gateway = start(LIMIT_REQUESTS="1")
    orders, name = services["orders"], "gateway_limited_requests_total"
    hits = orders.hits
    orders.control(delay=30)
    with socket.create_connection(("127.0.0.1", gateway.port), 10) as under_way:  # for 15 s, as long as orders may take
        under_way.sendall(f"GET /api/v1/orders/1 HTTP/1.1\r\nHost: 127.0.0.1:{gateway.port}\r\n\r\n".encode())
        wait_until(lambda: orders.hits > hits, "the room is taken")
        connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)
        for _ in range(2000):
            connection.request("GET", "/api/v1/orders/1")
            assert b"rate_limited" in connection.getresponse().read()
        connection.close()
    log = gateway.folder / "access.log"
    wait_until(lambda: log.read_text().count('"status":429') == 2000, "the log has them all")
    counted = total(gateway, name, route="orders")
    assert counted % 16 == 0
    assert 1100 < counted < 2900
    assert total(gateway, f"{DURATION}_bucket", route="orders", status="4xx", le="0.1") == counted


def test_a_429_of_a_service_is_not_ours(counted: Gateway, services: dict[str, Upstream]) -> None:
    services["customers"].control(status=429)
    ask(counted.port, "/api/v1/customers/token", "POST")
    settle(counted, 1)
    assert total(counted, "gateway_limited_requests_total") == 0
    assert total(counted, f"{DURATION}_count", status="4xx", upstream="customers") == 1


def test_failed_attempts_name_the_instance_that_failed(start: Start, services: dict[str, Upstream]) -> None:
    gateway = start(ORDERS_ADDRESS=f"127.0.0.1:{free_port()}")
    for i in range(10):
        assert ask(gateway.port, f"/api/v1/products/{i}").status == 200
    services["products-1"].end()
    try:
        for i in range(10, 20):
            assert ask(gateway.port, f"/api/v1/products/{i}").status == 200
    finally:
        services["products-1"].start()
    ask(gateway.port, "/api/v1/orders", "POST")
    settle(gateway, 21)
    assert total(gateway, "gateway_upstream_failures_total", upstream="products-1") >= 1
    assert total(gateway, "gateway_upstream_failures_total", upstream="products-2") == 0
    dead = gateway.variables["ORDERS_ADDRESS"]
    assert total(gateway, "gateway_upstream_failures_total", upstream=dead) == 1
    assert total(gateway, f"{DURATION}_count", status="5xx", route="orders", upstream="") == 1
    assert total(gateway, f"{DURATION}_count", status="2xx", route="products") == 20


def test_an_instance_at_another_address_is_known_by_its_name_at_once(
    counted: Gateway, services: dict[str, Upstream]
) -> None:
    ask(counted.port, "/api/v1/carts/1")
    services["stock"].control(headers={"X-Served-By": "stock-7"})
    ask(counted.port, "/api/v1/stock/1")
    services["stock"].end()
    try:
        assert ask(counted.port, "/api/v1/stock/1").status == 503
    finally:
        services["stock"].start()
    settle(counted, 3)
    assert total(counted, "gateway_upstream_failures_total", upstream="stock-7") >= 1
    assert total(counted, "gateway_upstream_failures_total", upstream="stock") == 0


def test_an_answer_from_the_cache_is_no_answer_of_an_instance(counted: Gateway, services: dict[str, Upstream]) -> None:
    """However long the request takes to arrive."""
    for name in ("products-1", "products-2"):
        services[name].control(headers={"Cache-Control": "max-age=60", "X-Served-By": "products-1"})
    ask(counted.port, "/api/v1/products/one")
    with socket.create_connection(("127.0.0.1", counted.port), 10) as slow:
        slow.sendall(b"GET /api/v1/products/one HTTP/1.1\r\n")
        time.sleep(0.1)
        slow.sendall(f"Host: 127.0.0.1:{counted.port}\r\nConnection: close\r\n\r\n".encode())
        assert b"X-Cache: HIT" in slow.recv(65536)
    settle(counted, 2)
    assert total(counted, f"{DURATION}_count", cache="HIT", upstream="") == 1
    assert total(counted, "gateway_upstream_duration_seconds_count", upstream="products-1") == 1


def test_counts_survive_a_reload(counted: Gateway) -> None:
    ask(counted.port, "/api/v1/carts/1")
    counted.reload()
    ask(counted.port, "/api/v1/carts/1")
    wait_until(lambda: total(counted, f"{DURATION}_count", route="carts") == 2, "both are counted")


def test_a_full_dictionary_stops_the_counting_and_not_the_gateway(start: Start) -> None:
    gateway = start()
    settings = gateway.folder / "conf" / "snippets" / "metrics.conf"
    settings.write_text(settings.read_text().replace("metrics:2m", "small:32k").replace('"$route|', '"$request_id|'))
    for script in (gateway.folder / "conf" / "njs").iterdir():
        script.write_text(script.read_text().replace("shared.metrics", "shared.small"))
    gateway.reload()
    statuses: list[int] = []

    def full() -> bool:
        """Workers from before the reload may answer the first ones, and count them."""
        statuses.extend(ask(gateway.port, "/nowhere").status for _ in range(100))
        return 0 < total(gateway, f"{DURATION}_count") < len(statuses)

    wait_until(full, "some are not counted", 30)
    assert set(statuses) == {404}


def test_build_info(counted: Gateway) -> None:
    ((labels, value),) = samples(counted, "gateway_build_info").items()
    assert value == 1
    assert dict(labels)["nginx"].startswith("1.")
