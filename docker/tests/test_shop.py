"""What the shop in containers does: everything that the shop of local mode does, and again after a second `up`."""

import json
import os
import ssl
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from local.certificate import self_signed

from tests.engine import ROOT, WEB, Containers, until

pytestmark = pytest.mark.engine


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def stock_of(shop: Containers, sku: str) -> int:
    return int(get(f"{shop.url}/api/v1/stock/{sku}")["available"])


def test_welcome_says_where_to_go_and_who_may_sign_in(shop: Containers) -> None:
    said = shop.logs("welcome")
    assert f"{shop.url}/docs/" in said
    assert f"staff@example.com with the password {shop.secrets()['staff_password']}\n" in said


def test_links_in_mails_lead_to_the_gateway_s_port(shop: Containers) -> None:
    assert shop.execute("customers", "cat", "/secrets/public_url") == shop.url


def test_goods_pictures_and_pages_are_served(shop: Containers) -> None:
    found = get(f"{shop.url}/api/v1/products?q=bananna&limit=3")["results"]
    assert any("banana" in product["name"].lower() for product in found)
    for path in ("/", "/docs/", "/docs/swagger-ui/swagger-ui-bundle.js", "/admin/stock/login/"):
        with urllib.request.urlopen(shop.url + path, timeout=10) as answer:
            assert answer.status == 200, path


def test_a_picture_goes_through_the_volume_from_one_instance_to_all(shop: Containers) -> None:
    shop.execute("products-1", "sh", "-c", "printf picture > /srv/media/tried.png")
    assert shop.execute("products-2", "cat", "/srv/media/tried.png") == "picture"
    with urllib.request.urlopen(f"{shop.url}/media/tried.png", timeout=10) as answer:
        assert answer.read() == b"picture"
    shop.execute("products-2", "rm", "/srv/media/tried.png")


def test_prometheus_sees_every_instance_and_the_gateway(shop: Containers) -> None:
    query = urllib.parse.quote("up")
    workers = {"stock-worker", "customers-worker", "orders-worker"}
    wanted = {name: "1" for name in (*WEB, *workers, "gateway", "exporter", "prometheus")}

    def seen() -> dict[str, str]:
        found = get(f"http://localhost:{shop.ports['PROMETHEUS_PORT']}/api/v1/query?query={query}")["data"]["result"]
        return {each["metric"]["instance"]: each["value"][1] for each in found}

    until(lambda: seen() == wanted, "every target to be up", seconds=60)


def test_grafana_has_its_datasource_and_dashboards(shop: Containers) -> None:
    if not shop.grafana:
        pytest.skip("grafana's image is neither here nor to be had")
    url = f"http://localhost:{shop.ports['GRAFANA_PORT']}"
    until(lambda: shop.inspect("grafana")["State"]["Health"]["Status"] == "healthy", "grafana to be healthy")
    opener = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    opener.add_password(None, url, "admin", "admin")
    with urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(opener)).open(
        f"{url}/api/datasources/uid/prometheus", timeout=10
    ) as answer:
        assert json.load(answer)["url"] == "http://prometheus:9090"
    for path in sorted((ROOT / "monitoring" / "grafana" / "dashboards").glob("*.json")):
        uid = json.loads(path.read_text())["uid"]
        with urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(opener)).open(
            f"{url}/api/dashboards/uid/{uid}", timeout=10
        ) as answer:
            assert json.load(answer)["meta"]["provisioned"] is True, path.name


def test_the_journeys_of_e2e(shop: Containers) -> None:
    env = {
        **os.environ,
        "TARGET": shop.url,
        "STAFF_EMAIL": "staff@example.com",
        "STAFF_PASSWORD": shop.secrets()["staff_password"],
    }
    begin = time.monotonic()
    # The contract's refusals are the same code in both modes: here it is the journeys, and 500 baskets at once.
    journeys = [*sorted((ROOT / "e2e" / "tests").glob("test_*_journey.py")), ROOT / "e2e" / "tests" / "test_baskets.py"]
    command = [sys.executable, "-m", "pytest", "-q", *map(str, journeys)]
    done = subprocess.run(command, cwd=ROOT / "e2e", env=env, check=False)
    assert done.returncode == 0, "the journeys failed, see above"
    print(f"journeys in {time.monotonic() - begin:.0f} s", flush=True)


def test_a_second_up_finds_its_data_and_leaves_what_runs_alone(shop: Containers) -> None:
    skus = [variant["sku"] for each in get(f"{shop.url}/api/v1/products")["results"] for variant in each["variants"]]
    levels = {sku: stock_of(shop, sku) for sku in skus}
    secrets, running = shop.secrets(), {name: each["Id"] for name, each in shop.running().items()}
    begin = time.monotonic()
    shop.up()
    print(f"second up in {time.monotonic() - begin:.0f} s", flush=True)
    assert {name: each["Id"] for name, each in shop.running().items()} == running
    assert shop.secrets() == secrets
    assert {sku: stock_of(shop, sku) for sku in skus} == levels
    assert "was imported before: nothing to do" in shop.logs("products-import")
    assert "staff@example.com with the password that was set before" in shop.logs("welcome")


def test_data_outlives_the_containers(shop: Containers) -> None:
    secrets = shop.secrets()
    sku = get(f"{shop.url}/api/v1/products?limit=1")["results"][0]["variants"][0]["sku"]
    level = stock_of(shop, sku)
    shop.compose("down", "--timeout", "20")
    assert shop.all() == {}
    shop.up()
    assert shop.secrets() == secrets
    assert stock_of(shop, sku) == level


TLS = ("--file", "docker-compose.yml", "--file", "docker/tls.yml")


def test_the_gateway_speaks_tls_where_the_second_file_stands_above_the_first(shop: Containers, tmp_path: Path) -> None:
    settings = {}
    for variable, text in zip(("TLS_CERTIFICATE", "TLS_CERTIFICATE_KEY"), self_signed(["localhost"]), strict=True):
        path = tmp_path / variable
        path.write_text(text)
        path.chmod(0o644)  # user 101 reads both
        settings[variable] = str(path)
    shop.compose(*TLS, "up", "-d", "--no-deps", "gateway", more=settings)
    try:
        trusted = ssl.create_default_context(cafile=settings["TLS_CERTIFICATE"])
        url = f"https://localhost:{shop.ports['GATEWAY_TLS_PORT']}"
        until(lambda: shop.inspect("gateway")["State"]["Health"]["Status"] == "healthy", "the gateway to be healthy")
        for each, context in ((url, trusted), (shop.url, None)):
            with urllib.request.urlopen(f"{each}/api/v1/products?limit=1", timeout=10, context=context) as answer:
                assert len(json.load(answer)["results"]) == 1, each
    finally:
        shop.compose("up", "-d", "--no-deps", "gateway")


ASK = """
import pathlib, psycopg2, sys
cursor = psycopg2.connect(pathlib.Path("/secrets/url").read_text()).cursor()
cursor.execute(sys.argv[1])
print(*cursor.fetchone())
"""
ENCRYPTED = "SELECT count(*), bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = user"


def test_the_way_to_the_databases_can_be_encrypted(shop: Containers) -> None:
    if not shop.execute("stock", "python", "-c", ASK, "SHOW ssl_library").strip():
        pytest.skip("the PostgreSQL of this image was built without TLS; the public one was built with it")
    secrets = shop.secrets()
    shop.compose("down", "--timeout", "20")
    shop.up(DATABASE_TLS="on")
    changed = {name for name, secret in shop.secrets().items() if secrets[name] != secret}
    assert {name.rpartition("/")[2] for name in changed} == {"url", "owner_url"}
    for service in WEB:
        connections, encrypted = shop.execute(service, "python", "-c", ASK, ENCRYPTED).split()
        assert (int(connections) >= 2, encrypted) == (True, "True"), service
