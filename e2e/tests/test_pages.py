"""The front page and the reference, in a real browser."""

import json
import subprocess
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from support.browser import Browser, opened
from support.people import Person, Staff
from support.target import Target

SERVICES = ["products", "stock", "customers", "carts", "orders"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with opened() as browser:
        yield browser


def foreign(browser: Browser, target: Target) -> set[str]:
    """Addresses that were asked and are not the shop's."""
    here = urlsplit(target.url).netloc
    return {url for url in browser.asked() if urlsplit(url).scheme.startswith("http") and urlsplit(url).netloc != here}


def test_the_front_page_says_what_runs_and_where_to_go(browser: Browser, target: Target) -> None:
    browser.get(target.url + "/")
    assert browser.wait("#state", "everything is ready").get_attribute("data-state") == "ok"
    browser.look("front")
    for name in ("products-1", "products-2", "stock", "customers", "cart", "orders", "gateway"):
        assert browser.wait(f'[data-instance="{name}"]').get_attribute("data-state") == "ready"
    links = {urlsplit(str(link.get_attribute("href"))).path for link in browser.all("a[href]")}
    admins = {f"/admin/{name}/" for name in ("products", "stock", "customers", "cart", "orders")}
    assert {"/docs/"} | admins <= links
    assert browser.errors() == []
    assert foreign(browser, target) == set()


def test_the_curl_lines_work_when_pasted(browser: Browser, target: Target, guest: Person, staff: Staff) -> None:
    for variant in guest.get("/products?q=bananas&limit=1").ok()["results"][0]["variants"]:
        staff.receive(variant["sku"], 10)
    browser.get(target.url + "/")
    browser.wait("#state", "everything is ready")
    lines = [code.text for code in browser.all("pre code")]
    assert len(lines) == 3
    script = "\necho\necho ----\n".join(lines)
    done = subprocess.run(["bash"], input=script, capture_output=True, text=True, check=True, timeout=60)
    found, cart, order = (json.loads(text) for text in done.stdout.split("----"))
    assert any("Banana" in product["name"] for product in found["results"])
    assert [line["quantity"] for line in cart["lines"]] == [2]
    assert (order["status"], order["total"]) == ("confirmed", cart["total"])
    assert guest.get(f"/orders/{order['id']}?access_token={order['access_token']}").ok() == order


def test_the_front_page_fits_a_telephone(browser: Browser, target: Target) -> None:
    browser.set_window_size(500, 900)
    try:
        browser.get(target.url + "/")
        browser.wait("#state", "everything is ready")
        browser.look("front-narrow")
        wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert browser.execute_script(wide) == 0
    finally:
        browser.set_window_size(1400, 1000)


@pytest.mark.parametrize("service", SERVICES)
def test_the_reference_shows_a_service_without_a_word_to_another_host(
    browser: Browser, target: Target, guest: Person, service: str
) -> None:
    browser.get("about:blank")
    browser.asked(), browser.errors()
    browser.get(f"{target.url}/docs/#{service}")
    browser.wait(".swagger-ui .info .title")
    browser.wait(".swagger-ui .opblock")
    browser.look(f"docs-{service}")
    document = guest.get(f"/{service}/openapi.json").ok()
    methods = {"get", "put", "post", "patch", "delete"}
    operations = sum(len(methods & set(path)) for path in document["paths"].values())
    assert len(browser.all(".swagger-ui .opblock")) == operations
    assert document["info"]["title"] in browser.wait(".swagger-ui .info .title").text
    assert foreign(browser, target) == set()
    assert browser.errors() == []


def test_the_reference_lists_the_five_documents(browser: Browser, target: Target) -> None:
    browser.get(target.url + "/docs/")
    browser.wait(".swagger-ui .opblock")
    assert [link.text for link in browser.all("#services a")] == SERVICES
    browser.all("#services a")[4].click()
    browser.wait(".swagger-ui .opblock-summary-path", "orders")
