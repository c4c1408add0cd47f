"""A real browser, without a window."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

SECONDS = 20
NETWORK_CHANGED = "ERR_NETWORK_CHANGED"
"""Chromium drops what it is loading whenever the machine gets another network, as from Docker: no fault of the shop."""


class Browser(Chrome):
    """Chromium with what these tests ask of it."""

    def wait(self, css: str, text: str = "") -> WebElement:
        """The first element that is shown and holds the text, also where one page is just taking another's place."""

        def look(_: object) -> WebElement | bool:
            found = [each for each in self.all(css) if each.is_displayed() and text in each.text]
            return found[0] if found else False

        wait = WebDriverWait(self, SECONDS, poll_frequency=0.1, ignored_exceptions=[StaleElementReferenceException])
        found = wait.until(look, f"{css} with {text!r} at {self.current_url}")
        assert isinstance(found, WebElement)
        return found

    def all(self, css: str) -> list[WebElement]:
        """All elements."""
        return self.find_elements(By.CSS_SELECTOR, css)

    def asked(self) -> set[str]:
        """The addresses of all requests since the last call."""
        events = [json.loads(entry["message"])["message"] for entry in self.get_log("performance")]  # type: ignore[no-untyped-call]
        return {e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"}

    def get(self, url: str) -> None:
        """Opens a page; once more where the machine's network changed meanwhile.

        The driver is content when anything has loaded, as what a click before has opened: we wait for this page.
        """
        try:
            super().get(url)
        except WebDriverException as error:
            if NETWORK_CHANGED not in str(error):
                raise
            super().get(url)
        self.loaded()

    def loaded(self) -> None:
        """Waits for the end of the page."""
        WebDriverWait(self, SECONDS).until(lambda _: self.execute_script("return document.readyState") == "complete")

    def errors(self) -> list[str]:
        """What the console complained about since the last call: missing files, scripts that fail, broken policies."""
        told = self.get_log("browser")  # type: ignore[no-untyped-call]
        return [e["message"] for e in told if e["level"] == "SEVERE" and NETWORK_CHANGED not in e["message"]]

    def look(self, name: str) -> None:
        """Keeps a picture of the page for people to look at, where they asked for it."""
        # SCREENSHOTS: a folder for pictures of every page that the tests open.
        if folder := os.environ.get("SCREENSHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.save_screenshot(Path(folder) / f"{name}.png")


@contextmanager
def opened() -> Iterator[Browser]:
    """A browser with an empty profile. Without Chromium the test is skipped, and fails where CI is set."""
    browser_path = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if not browser_path or not driver:
        missing = "needs a browser: apt-get install chromium chromium-driver"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    options = ChromeOptions()
    options.binary_location = browser_path  # type: ignore[assignment]
    for word in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1400,1000"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    browser = Browser(options=options, service=Service(driver))
    try:
        yield browser
    finally:
        browser.quit()
