"""The pages people see: complete, from here only, and alive in a real browser."""

import re
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import pytest

from tests.conftest import Start
from tests.support.client import ask
from tests.support.processes import Gateway, Upstream, free_port, wait_until

PAGES = ("/", "/docs/")
SERVICES = ("products", "stock", "customers", "carts", "orders")


class Links(HTMLParser):
    """Every href and src of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inline: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collects links, and what the content security policy would block."""
        values = dict(attrs)
        self.found += [value for name in ("href", "src") if (value := values.get(name))]
        if (tag == "script" and not values.get("src")) or tag == "style" or any(n.startswith("on") for n in values):
            self.inline.append(tag)


@pytest.mark.parametrize("page", PAGES)
def test_everything_a_page_names_is_there(gateway: Gateway, services: dict[str, Upstream], page: str) -> None:
    answer = ask(gateway.port, page)
    assert (answer.status, answer.header("Content-Type")) == (200, "text/html; charset=utf-8")
    links = Links(answer.body.decode())
    assert links.inline == []
    local = [link for link in links.found if not link.startswith(("#", "https://www.rfc-editor.org/"))]
    assert len(local) > 5
    assert {link: ask(gateway.port, urljoin(page, link).split("#")[0]).status for link in local} == dict.fromkeys(
        local, 200
    )


@pytest.mark.parametrize("page", [*PAGES, "/assets/front.js", "/docs/docs.js", "/assets/front.css", "/docs/docs.css"])
def test_nothing_is_loaded_from_outside(gateway: Gateway, page: str) -> None:
    text = ask(gateway.port, page).body.decode()
    outside = set(re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]+", text)) - {"https://www.rfc-editor.org"}
    assert outside == set()


@pytest.mark.parametrize("page", PAGES)
def test_the_policy_allows_scripts_from_here_only(gateway: Gateway, page: str) -> None:
    policy = dict(
        part.strip().split(" ", 1)
        for part in (ask(gateway.port, page).header("Content-Security-Policy") or "").split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"


def test_the_front_page_s_commands_name_no_goods_that_a_shop_may_not_have(gateway: Gateway) -> None:
    page = ask(gateway.port, "/").body.decode()
    assert re.findall(r"/carts/\$CART/lines/(\S+)", page) == ["$SKU"]
    assert "SKU=$(curl -s 'http://localhost:8080/api/v1/products?q=bananas" in page


def test_pages_are_small_and_compressed(gateway: Gateway) -> None:
    assert len(ask(gateway.port, "/").body) < 10_000
    packed = ask(gateway.port, "/docs/swagger-ui/swagger-ui-bundle.js", headers={"Accept-Encoding": "gzip"})
    assert packed.header("Content-Encoding") == "gzip"
    assert ask(gateway.port, "/api/v1/orders", headers={"Accept-Encoding": "gzip"}).header("Content-Encoding") is None


def test_health_names_each_instance(start: Start) -> None:
    gateway = start(STOCK_ADDRESS=f"127.0.0.1:{free_port()}")
    health = ask(gateway.port, "/health").json()
    assert health["status"] == "degraded"
    assert {it["name"]: it["status"] for it in health["instances"]} == {
        "products-1": "ready",
        "products-2": "ready",
        "stock": "down",
        "customers": "ready",
        "cart": "ready",
        "orders": "ready",
    }


def test_health_costs_an_instance_at_most_one_question_in_two_seconds(
    gateway: Gateway, services: dict[str, Upstream]
) -> None:
    wait_until(lambda: ask(gateway.port, "/health").json()["status"] == "ok", "all are ready")
    before = services["cart"].control()["ready_hits"]
    for _ in range(30):
        ask(gateway.port, "/health")
    assert services["cart"].control()["ready_hits"] - before <= 1


@pytest.fixture
def browse(tmp_path: Path) -> Callable[[str], str]:
    """The document of a page after its scripts have run, in a real browser."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("no Chromium on this machine: `apt-get install chromium`")

    def dump(url: str) -> str:
        options = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            f"--user-data-dir={tmp_path}",
            "--virtual-time-budget=8000",
            "--enable-logging=stderr",
            "--dump-dom",
        ]
        done = subprocess.run([program, *options, url], capture_output=True, text=True, timeout=60, check=True)
        assert "CONSOLE" not in done.stderr, done.stderr  # errors of scripts and of the content security policy
        return done.stdout

    return dump


def test_the_front_page_shows_who_is_ready(start: Start, browse: Callable[[str], str]) -> None:
    gateway = start(ORDERS_ADDRESS=f"127.0.0.1:{free_port()}", GRAFANA_PORT="")
    page = browse(f"http://127.0.0.1:{gateway.port}/")
    states = dict(re.findall(r'data-instance="([a-z0-9-]+)" data-state="([a-z]+)"', page))
    assert states == {
        "gateway": "ready",
        "products-1": "ready",
        "products-2": "ready",
        "stock": "ready",
        "customers": "ready",
        "cart": "ready",
        "orders": "down",
    }
    assert ">not ready: orders</p>" in page
    assert f"curl 'http://127.0.0.1:{gateway.port}/api/v1/products?q=bananas" in page
    assert 'href="http://127.0.0.1:9090/"' in page
    assert re.search(r'data-port="grafana" hidden', page)


@pytest.mark.parametrize("service", SERVICES)
def test_the_reference_shows_each_service(
    start: Start, services: dict[str, Upstream], browse: Callable[[str], str], service: str
) -> None:
    gateway = start()  # one whose cache has no document of another test
    document = {
        "openapi": "3.1.0",
        "info": {"title": f"All about {service}", "version": "1"},
        "paths": {
            f"/api/v1/{service}/{{id}}": {"get": {"summary": "One of them", "responses": {"200": {"description": ""}}}}
        },
    }
    for instance in services.values():
        instance.control(document=document)
    page = browse(f"http://127.0.0.1:{gateway.port}/docs/#{service}")
    assert f"All about {service}" in page
    assert "One of them" in page
    assert f'href="#{service}" data-document="/api/v1/{service}/openapi.json" aria-current="page"' in page
