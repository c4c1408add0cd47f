"""The five admins in a real browser: sign in, open every page, and work."""

from collections.abc import Iterator

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from support.browser import Browser, opened
from support.people import Person, Staff
from support.target import Target
from support.wait import until

SERVICES = ["products", "stock", "customers", "cart", "orders"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with opened() as browser:
        yield browser


def sign_in(browser: Browser, target: Target, service: str) -> None:
    """To the admin's first page, through its form when we are not known yet."""
    browser.get(f"{target.url}/admin/{service}/")
    if "/login" in browser.current_url:
        browser.look(f"admin-{service}-sign-in")
        browser.find_element(By.NAME, "username").send_keys(target.staff_email)
        browser.find_element(By.NAME, "password").send_keys(target.staff_password)
        browser.find_element(By.CSS_SELECTOR, "form [type=submit]").click()
        until(lambda: browser.current_url, lambda url: "/login" not in url)
        browser.loaded()


def list_pages(browser: Browser, service: str) -> list[str]:
    """The addresses of all lists that the admin has."""
    links = {str(a.get_attribute("href")).split("?")[0] for a in browser.all(f'a[href*="/admin/{service}/"]')}
    return sorted(url for url in links if len(url.split(f"/admin/{service}/")[1].strip("/").split("/")) == 2)


def run_action(browser: Browser, action: str) -> None:
    """Runs an action on the only row that is listed."""
    [box] = browser.all("#result_list tbody input[name=_selected_action]")
    browser.execute_script("arguments[0].click()", box)
    Select(browser.find_element(By.NAME, "action")).select_by_value(action)
    # A script shows the button once it has seen the box.
    buttons = until(lambda: [it for it in browser.all("button[name=index], button[title]") if it.is_displayed()], bool)
    buttons[-1].click()


@pytest.mark.parametrize("service", SERVICES)
def test_staff_sign_in_and_open_every_list(browser: Browser, target: Target, service: str) -> None:
    browser.errors()
    sign_in(browser, target, service)
    browser.wait("h1, h2")
    browser.look(f"admin-{service}")
    pages = list_pages(browser, service)
    assert pages
    for url in pages:
        browser.get(url)
        assert browser.wait("#changelist, #content-main"), url
        browser.look(f"admin-{service}-{url.rstrip('/').split('/')[-1]}")
        rows = browser.all("#result_list tbody th a")
        if rows:
            rows[0].click()
            browser.wait("#content-main, form, h1")
            browser.look(f"admin-{service}-{url.rstrip('/').split('/')[-1]}-one")
            assert "Error" not in browser.title
    assert browser.errors() == []


def test_nobody_gets_in_with_a_wrong_password(browser: Browser, target: Target) -> None:
    browser.execute_cdp_cmd("Network.clearBrowserCookies", {})
    browser.get(f"{target.url}/admin/stock/")
    browser.find_element(By.NAME, "username").send_keys("nobody@example.com")
    browser.find_element(By.NAME, "password").send_keys("not the password")
    browser.find_element(By.CSS_SELECTOR, "form [type=submit]").click()
    browser.wait("body", "The e-mail address or the password is wrong")
    assert "/login" in browser.current_url


def test_goods_are_received_in_the_admin(browser: Browser, target: Target, staff: Staff) -> None:
    sku = staff.goods(price=100, quantity=3)
    sign_in(browser, target, "stock")
    browser.get(f"{target.url}/admin/stock/stock/level/?q={sku}")
    browser.wait("#result_list th a", sku).click()
    browser.wait("a", "Receive stock").click()
    browser.wait("[name=quantity]").send_keys("9")
    browser.wait("[name=reason]").send_keys("a delivery")
    browser.look("admin-stock-receive")
    browser.wait("form button[type=submit]", "Receive").click()
    assert until(lambda: staff.available(sku), lambda level: level != 3) == 12
    browser.look("admin-stock-received")
    entry = staff.get(f"/stock/{sku}/movements").ok()["results"][0]
    assert (entry["kind"], entry["quantity"], entry["reason"]) == ("receipt", 9, "a delivery")


def test_an_order_is_marked_as_shipped_in_the_admin(
    browser: Browser, target: Target, staff: Staff, guest: Person
) -> None:
    order = guest.settled(guest.bought({staff.goods(price=100, quantity=3): 1}))
    sign_in(browser, target, "orders")
    browser.get(f"{target.url}/admin/orders/orders/order/?q={order['number']}")
    browser.look("admin-orders-found")
    run_action(browser, "mark_shipped")
    assert until(lambda: staff.get(f"/orders/{order['id']}").ok()["status"], "shipped".__eq__)
    browser.wait("body", "marked as shipped")
    browser.look("admin-orders-shipped")


def test_a_product_is_archived_in_the_admin(browser: Browser, target: Target, staff: Staff, guest: Person) -> None:
    sku = staff.goods(price=100, quantity=3)
    [product] = staff.get(f"/products?sku={sku}").ok()["results"]
    sign_in(browser, target, "products")
    browser.get(f"{target.url}/admin/products/products/product/?q={sku}")
    browser.look("admin-products-found")
    run_action(browser, "archive")
    path = f"/products/{product['slug']}"
    assert until(lambda: staff.get(path).ok()["status"], "archived".__eq__)
    browser.look("admin-products-archived")
    assert until(lambda: guest.get(path).status, (404).__eq__)
