"""One sign-in for five admins, in a real browser: roles, second factor, signing out everywhere."""

import time
from collections.abc import Iterator
from uuid import uuid4

import pyotp
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from support.browser import Browser, opened
from support.client import Client
from support.people import PASSWORD, Person
from support.target import Target
from support.wait import until

SERVICES = ["products", "stock", "customers", "cart", "orders"]
ENDED_WITHIN = 15
"""Seconds after which a sign-out is known in every admin: chassis.sign_in.sessions.FRESH_SECONDS and a little."""


@pytest.fixture(scope="module")
def window() -> Iterator[Browser]:
    with opened() as browser:
        yield browser


@pytest.fixture
def browser(window: Browser) -> Browser:
    """Nobody is signed in."""
    window.execute_cdp_cmd("Network.clearBrowserCookies", {})
    return window


@pytest.fixture(scope="module")
def clerk(target: Target, window: Browser) -> str:
    """The e-mail address of somebody of the warehouse, whom the owner has made staff in the admin."""
    email, browser = f"clerk-{uuid4().hex[:8]}@example.com", window
    browser.execute_cdp_cmd("Network.clearBrowserCookies", {})
    sign_in(browser, target, "customers", target.staff_email, target.staff_password)
    until(lambda: browser.current_url, f"{target.url}/admin/customers/".__eq__)
    browser.get(f"{target.url}/admin/customers/customers/customer/add/")
    for name, value in (("email", email), ("name", "Clerk"), ("password1", PASSWORD), ("password2", PASSWORD)):
        browser.find_element(By.NAME, name).send_keys(value)
    browser.find_element(By.NAME, "_continue").click()
    browser.wait("#id_is_staff, [name=is_staff]")
    tick = browser.find_element(By.NAME, "is_staff")
    browser.execute_script("arguments[0].click()", tick)
    until(lambda: len(browser.all("#id_groups_from option")), (5).__eq__)
    Select(browser.find_element(By.ID, "id_groups_from")).select_by_visible_text("warehouse")
    browser.execute_script("SelectBox.move('id_groups_from', 'id_groups_to')")
    browser.look("staff-becomes-a-clerk")
    browser.find_element(By.NAME, "_save").click()
    browser.wait("body", "was changed successfully")
    return email


def sign_in(browser: Browser, target: Target, service: str, email: str, password: str) -> None:
    """By the one page, wherever one begins."""
    browser.get(f"{target.url}/admin/{service}/")
    browser.wait("form [name=username]").send_keys(email)
    assert browser.current_url.startswith(f"{target.url}/admin/customers/login/")
    browser.find_element(By.NAME, "password").send_keys(password)
    browser.look(f"sign-in-{service}")
    browser.find_element(By.CSS_SELECTOR, "form [type=submit]").click()


def opens(browser: Browser, target: Target, service: str) -> bool:
    """Whether the admin opens without asking who one is."""
    browser.get(f"{target.url}/admin/{service}/")
    return browser.current_url == f"{target.url}/admin/{service}/"


def sign_out(browser: Browser, service: str) -> None:
    """By the admin's own menu."""
    browser.execute_script(f"document.querySelector('form[action=\"/admin/{service}/logout/\"]').submit()")
    until(lambda: browser.current_url, lambda url: url.endswith("/admin/customers/login/"))


def test_one_sign_in_opens_all_admins_and_one_sign_out_closes_them(browser: Browser, target: Target) -> None:
    sign_in(browser, target, "stock", target.staff_email, target.staff_password)
    until(lambda: browser.current_url, f"{target.url}/admin/stock/".__eq__)
    assert [service for service in SERVICES if opens(browser, target, service)] == SERVICES
    names = {cookie["name"] for cookie in browser.execute_cdp_cmd("Network.getAllCookies", {})["cookies"]}
    assert {f"{service}_session" for service in SERVICES} <= names
    assert opens(browser, target, "orders")
    sign_out(browser, "orders")
    browser.look("signed-out")
    ended = time.monotonic()
    for service in SERVICES:
        until(lambda service=service: opens(browser, target, service), (False).__eq__, ENDED_WITHIN)  # type: ignore[misc]
    assert time.monotonic() - ended < ENDED_WITHIN + 5


def test_roles_are_respected(browser: Browser, target: Target, clerk: str) -> None:
    sign_in(browser, target, "products", clerk, PASSWORD)
    until(lambda: browser.current_url, f"{target.url}/admin/products/".__eq__)
    for service, path, title in (
        ("stock", "stock/level/", True),
        ("products", "products/product/", True),
        ("products", "products/product/add/", False),
        ("orders", "orders/order/", False),
        ("cart", "cart/cart/", False),
        ("customers", "customers/customer/", False),
        ("stock", "auth/user/", False),
    ):
        assert opens(browser, target, service), service
        browser.get(f"{target.url}/admin/{service}/{path}")
        browser.look(f"clerk-{service}-{path.strip('/').replace('/', '-')}")
        if title:
            browser.wait("#changelist")
        assert bool(browser.all("#changelist")) is title, (service, path, browser.page_source[:2000])


def test_a_customer_is_refused_and_told_why(browser: Browser, target: Target, customer: Person) -> None:
    sign_in(browser, target, "orders", customer.email, PASSWORD)
    browser.wait("[role=alert]", "customer's account")
    browser.look("sign-in-refused")
    assert not opens(browser, target, "orders")


def test_a_second_factor_is_enrolled_and_asked_for_everywhere(browser: Browser, target: Target, clerk: str) -> None:
    sign_in(browser, target, "customers", clerk, PASSWORD)
    until(lambda: browser.current_url, f"{target.url}/admin/customers/".__eq__)
    browser.errors()  # of pages that others opened
    browser.get(f"{target.url}/admin/customers/second-factor/")
    app = pyotp.TOTP(browser.wait("#secret").text)
    assert browser.find_element(By.ID, "qr").get_property("naturalWidth")
    browser.look("second-factor-enrol")
    browser.find_element(By.NAME, "code").send_keys(app.now())
    browser.wait("button", "Turn on").click()
    recovery = [row.text for row in browser.wait("#recovery-codes").find_elements(By.TAG_NAME, "li")]
    browser.look("second-factor-codes")
    assert len(recovery) == 10
    assert browser.errors() == []
    sign_out(browser, "customers")

    guest, body = Client(target.url), {"email": clerk, "password": PASSWORD}
    guest.post("/customers/token", body).refused(401, "otp_required")
    guest.post("/customers/token", body | {"otp": "000000"}).refused(401, "otp_invalid")
    assert guest.post("/customers/token", body | {"otp": recovery[0]}).ok()["access"]

    sign_in(browser, target, "stock", clerk, PASSWORD)
    browser.wait("form [name=otp]").send_keys("000000")
    browser.look("sign-in-code")
    browser.find_element(By.CSS_SELECTOR, "form [type=submit]").click()
    browser.wait("[role=alert]", "is wrong")
    browser.wait("form [name=otp]").send_keys(recovery[1])
    browser.find_element(By.CSS_SELECTOR, "form [type=submit]").click()
    until(lambda: browser.current_url, f"{target.url}/admin/stock/".__eq__)
    assert opens(browser, target, "products")


def test_the_local_account_signs_in_without_the_provider(browser: Browser, target: Target) -> None:
    browser.get(f"{target.url}/admin/stock/login/local/")
    browser.look("sign-in-local")
    browser.find_element(By.NAME, "username").send_keys(target.staff_email)
    browser.find_element(By.NAME, "password").send_keys(target.staff_password)
    browser.find_element(By.CSS_SELECTOR, "form [type=submit]").click()
    until(lambda: browser.current_url, f"{target.url}/admin/stock/".__eq__)
    assert not opens(browser, target, "orders")
