"""Alerts for real: something breaks, Prometheus tells; it is mended, Prometheus is silent."""

import psycopg2
import pytest
from local import wait
from local.shop import Shop

from tests.watched import prometheus

pytestmark = pytest.mark.long


def firing(shop: Shop, name: str) -> list[dict[str, str]]:
    """The labels of an alert's firing instances."""
    alerts = prometheus(shop, "alerts")["alerts"]
    return [each["labels"] for each in alerts if each["state"] == "firing" and each["labels"]["alertname"] == name]


def test_an_instance_that_is_gone_pages_and_is_forgotten_when_it_is_back(shop: Shop) -> None:
    assert firing(shop, "InstanceDown") == []
    shop.stop("stock-worker")
    wait.until(lambda: bool(firing(shop, "InstanceDown")), seconds=150, what="the alert")
    [labels] = firing(shop, "InstanceDown")
    assert (labels["instance"], labels["severity"]) == ("stock-worker", "page")
    shop.start("stock-worker")
    wait.until(lambda: not firing(shop, "InstanceDown"), seconds=90, what="silence")


def test_a_process_that_lives_and_serves_nobody_pages(shop: Shop) -> None:
    """Without their database, the web instances still answer Prometheus, from gunicorn's master."""
    shop.stop("postgres")
    wait.until(lambda: bool(firing(shop, "DatabaseDown")), seconds=150, what="the alert about the database")
    wait.until(lambda: len(firing(shop, "InstanceDown")) == 6, seconds=60, what="the alerts about all web instances")
    shop.start("postgres")
    wait.until(lambda: not firing(shop, "InstanceDown") + firing(shop, "DatabaseDown"), seconds=90, what="silence")


def test_a_level_that_nothing_explains_pages_until_it_is_mended(shop: Shop) -> None:
    url = (shop.state.secrets / "stock" / "owner_url").read_text()

    def book(quantity: int) -> None:
        with psycopg2.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute(
                "UPDATE stock_level SET on_hand = on_hand + %s WHERE sku = (SELECT min(sku) FROM stock_level)",
                [quantity],
            )
        connection.close()

    book(3)
    wait.until(lambda: bool(firing(shop, "StockLedgerDrift")), seconds=90, what="the alert")
    book(-3)
    wait.until(lambda: not firing(shop, "StockLedgerDrift"), seconds=90, what="silence")
