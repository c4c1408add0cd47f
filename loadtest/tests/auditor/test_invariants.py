"""Each invariant, spoilt in a copy: the auditor catches it, and nothing but it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from threading import Timer

import psycopg2
import pytest
from chassis.testing import environment

from loadtest import auditor
from loadtest.auditor import checks
from loadtest.auditor.findings import INVARIANTS
from loadtest.tests.auditor.population import STORIES, order_id
from loadtest.tests.auditor.servers import ROOT

IDS = {story.name: order_id(story.name) for story in STORIES} | {"other": order_id("completed", 1)}
IDS |= {"fresh2": order_id("fresh", 1), "nobody": "00000000-0000-4000-8000-000000000000"}
# A SKU of the fresh order, so of one that is held.
_HELD = "(SELECT min(sku) FROM stock_reservationline WHERE reservation_id = %(fresh)s)"
_LONG_AGO = "now() - interval '2 hours'"

SPOILT = [
    ("levels", {"stock": f"""
        INSERT INTO stock_movement (sku, kind, quantity, reason, actor)
        SELECT sku, 'adjustment', reserved - 1 - on_hand, '', 'x' FROM stock_level WHERE sku = {_HELD};
        UPDATE stock_level SET on_hand = reserved - 1 WHERE sku = {_HELD}"""}),
    ("held", {"stock": f"UPDATE stock_level SET reserved = reserved + 1 WHERE sku = {_HELD}"}),
    ("held", {"stock": f"""
        UPDATE stock_reservationline SET quantity = quantity + 1
        WHERE reservation_id = %(fresh)s AND sku = {_HELD}"""}),
    ("ledger", {"stock": f"UPDATE stock_level SET on_hand = on_hand + 1 WHERE sku = {_HELD}"}),
    ("ledger", {"stock": f"""
        INSERT INTO stock_movement (sku, kind, quantity, reason, actor) VALUES ({_HELD}, 'receipt', 7, '', 'x')"""}),
    ("ledger-prefix", {"stock": f"""
        INSERT INTO stock_movement (id, sku, kind, quantity, reason, actor)
        VALUES (-2, {_HELD}, 'adjustment', -5, '', 'x'), (-1, {_HELD}, 'adjustment', 5, '', 'x')"""}),
    ("ledger-sales", {"stock": """
        UPDATE stock_movement SET kind = 'adjustment', reservation_id = NULL
        WHERE reservation_id = %(completed)s AND kind = 'sale'"""}),
    ("ledger-sales", {"stock": """
        UPDATE stock_movement SET kind = 'adjustment', reservation_id = NULL
        WHERE reservation_id = %(refunded)s AND kind = 'return'"""}),
    ("totals", {"orders": "UPDATE orders_orderline SET unit_price = unit_price + 1 WHERE order_id = %(completed)s"}),
    ("totals", {"orders": "UPDATE orders_order SET shipping = 1 WHERE id = %(completed)s"}),
    ("totals", {"orders": "UPDATE orders_payment SET amount = amount + 1 WHERE order_id = %(invoice)s"}),
    ("events", {"orders": "DELETE FROM orders_orderevent WHERE order_id = %(completed)s AND event = 'paying'"}),
    ("events", {"orders": "UPDATE orders_order SET state = 'shipped' WHERE id = %(completed)s"}),
    ("events", {"orders": "DELETE FROM orders_orderevent WHERE order_id = %(short)s AND event = 'pending'"}),
    ("answers", {"orders": "UPDATE idempotency_idempotencyrecord SET status = NULL, body = NULL WHERE id = 1"}),
    ("keys", {"orders": """
        UPDATE orders_order SET idempotency_id = (SELECT idempotency_id FROM orders_order WHERE id = %(other)s)
        WHERE id = %(completed)s"""}),
    ("keys", {"orders": """
        UPDATE idempotency_idempotencyrecord r SET (scope, key) =
            (SELECT scope, key FROM idempotency_idempotencyrecord WHERE id = 1) WHERE id = 2"""}),
    ("live-carts", {"orders": """
        UPDATE orders_order SET cart = (SELECT cart FROM orders_order WHERE id = %(fresh)s), cart_version = 2
        WHERE id = %(fresh2)s"""}),
    ("cart-versions", {"orders": """
        UPDATE orders_order SET cart = (SELECT cart FROM orders_order WHERE id = %(completed)s) WHERE id = %(fresh)s
        """}),
    ("goods", {"orders": "UPDATE orders_orderline SET sku = sku || 'x' WHERE order_id = %(completed)s"}),
    ("goods", {"stock": """
        UPDATE stock_movement SET reservation_id = %(nobody)s WHERE reservation_id = %(completed)s;
        UPDATE stock_reservationline SET reservation_id = %(nobody)s WHERE reservation_id = %(completed)s;
        UPDATE stock_reservation SET id = %(nobody)s WHERE id = %(completed)s"""}),
    ("money", {"testpay": "DELETE FROM charge WHERE key = %(delivered)s"}),
    ("money", {"testpay": "UPDATE charge SET amount = amount + 1 WHERE key = %(completed)s"}),
    ("money", {"testpay": "UPDATE charge SET currency = 'EUR' WHERE key = %(completed)s"}),
    ("money", {"testpay": f"INSERT INTO charge VALUES (%(nobody)s, 'succeeded', 5, 'USD', now(), {_LONG_AGO})"}),
    ("money", {"testpay": f"INSERT INTO charge VALUES (%(invoice)s, 'succeeded', 5, 'USD', now(), {_LONG_AGO})"}),
    ("money", {"orders": "UPDATE orders_payment SET state = 'declined' WHERE order_id = %(invoice)s"}),
    ("failed-goods", {"stock": """
        UPDATE stock_reservation SET state = 'held', expires = now() + interval '1 hour' WHERE id = %(cancelled)s;
        UPDATE stock_level v SET reserved = reserved + l.quantity FROM stock_reservationline l
        WHERE l.sku = v.sku AND l.reservation_id = %(cancelled)s"""}),
    ("failed-goods", {"orders": """
        DELETE FROM orders_orderevent WHERE order_id = %(lost)s AND event = 'shipped'"""}),
    ("failed-money", {"testpay": "UPDATE charge SET state = 'succeeded' WHERE key = %(declined)s"}),
    ("failed-money", {"testpay": f"""
        INSERT INTO charge VALUES (%(cancelled)s, 'succeeded', 5, 'USD', now(), {_LONG_AGO})"""}),
    ("failed-money", {"orders": "UPDATE orders_payment SET state = 'paid' WHERE order_id = %(refunded)s"}),
    ("carts", {"cart": "DELETE FROM cart_consumed WHERE order_id = %(completed)s"}),
    ("carts", {"cart": f"""
        INSERT INTO cart_consumed SELECT %(declined)s, {_LONG_AGO}, id FROM cart_cart LIMIT 1"""}),
    ("carts", {"cart": "UPDATE cart_consumed SET order_id = %(nobody)s WHERE order_id = %(completed)s"}),
    ("stuck", {"orders": f"UPDATE orders_order SET cancel_requested = {_LONG_AGO} WHERE id = %(completed)s"}),
    ("stuck", {
        "orders": f"""
            UPDATE orders_orderevent SET created = {_LONG_AGO} WHERE order_id = %(fresh)s;
            UPDATE orders_order SET updated = {_LONG_AGO} WHERE id = %(fresh)s""",
        "stock": f"UPDATE stock_reservation SET updated = {_LONG_AGO} WHERE id = %(fresh)s"}),
    ("accounts", {"customers": "DELETE FROM customers_customer WHERE id = '00000000-0000-0000-0000-000000000004'"}),
    ("prices", {"products": "UPDATE products_variant SET price = price + 1"}),
]  # fmt: skip

Spoil = Callable[..., dict[str, str]]


def found(urls: dict[str, str], **options: float) -> set[str]:
    return {finding.invariant for finding in auditor.audit(urls, recheck_seconds=0, **options)}


def test_a_clean_shop_has_no_offenders(clean: dict[str, str]) -> None:
    report = auditor.examine(clean)
    assert report.findings == []
    # Six orders are fresh; all the others were looked at.
    assert report.left_aside == 6
    assert report.checked["totals"] == 294
    assert all(report.checked[invariant] for invariant in INVARIANTS)


@pytest.mark.parametrize(("invariant", "statements"), SPOILT, ids=[f"{name}-{n}" for n, (name, _) in enumerate(SPOILT)])
def test_a_spoilt_shop_has(spoil: Spoil, invariant: str, statements: dict[str, str]) -> None:
    assert found(spoil(IDS, **statements)) == {invariant}


def test_every_invariant_is_spoilt_above() -> None:
    assert {invariant for invariant, _ in SPOILT} == set(INVARIANTS)


def test_what_changed_just_now_is_left_aside_unless_all_has_to_be_at_rest(spoil: Spoil) -> None:
    urls = spoil(IDS, testpay="UPDATE charge SET state = 'declined', updated = now() WHERE key = %(completed)s")
    assert found(urls) == set()
    assert "money" in found(urls, settle_seconds=0)


def test_a_suspect_that_is_well_at_the_second_look_is_none(spoil: Spoil) -> None:
    urls = spoil(IDS, testpay="UPDATE charge SET state = 'declined' WHERE key = %(completed)s")

    def repair() -> None:
        with psycopg2.connect(urls["testpay"]) as connection, connection.cursor() as cursor:
            cursor.execute("UPDATE charge SET state = 'succeeded' WHERE key = %(completed)s", IDS)
        connection.close()

    assert found(urls) == {"money"}
    timer = Timer(1.0, repair)
    timer.start()
    assert auditor.audit(urls, recheck_seconds=4) == []
    timer.join()


def test_an_audit_of_the_last_day_sees_the_orders_of_that_day_and_all_that_is_theirs(spoil: Spoil) -> None:
    """Everything is from today but two orders, which were placed two days ago."""
    old = "UPDATE {} SET created = now() - interval '2 days' WHERE id IN (%(completed)s, %(delivered)s);"
    both = "UPDATE orders_orderline SET unit_price = unit_price + 1 WHERE order_id IN (%(completed)s, %(other)s)"
    goods = """
        INSERT INTO stock_level (sku, on_hand, reserved) VALUES ('in-no-order', 7, 0);
        UPDATE stock_level SET on_hand = on_hand + 1
        WHERE sku = (SELECT min(sku) FROM stock_reservationline WHERE reservation_id = %(other)s)"""
    urls = spoil(
        IDS,
        orders=old.format("orders_order") + both,
        stock=old.format("stock_reservation") + goods,
        customers="DELETE FROM customers_customer",
    )
    whole, day = auditor.examine(urls, recheck_seconds=0), auditor.examine(urls, recheck_seconds=0, since=86_400)
    assert day.checked["totals"] == whole.checked["totals"] - 2
    assert 0 < day.checked["levels"] < whole.checked["levels"]
    assert {finding.subject for finding in day.of("totals")} == {f"order {IDS['other']}"}
    assert len(whole.of("totals")) == 2
    assert {f.subject for f in day.of("ledger")} < {f.subject for f in whole.of("ledger")}
    assert 0 < len(day.of("accounts")) <= len(whole.of("accounts"))
    assert {finding.invariant for finding in day.findings} == {"totals", "ledger", "accounts"}


def test_the_legal_paths_are_those_of_the_service() -> None:
    code = """
import json
import django
django.setup()
from orders.domain.transitions import LEGAL
print(json.dumps({state: sorted(after) for state, after in LEGAL.items()}))
"""
    before = dict(os.environ)
    environment.apply()
    variables = dict(os.environ) | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    os.environ.clear()
    os.environ.update(before)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "orders", env=variables, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == {state: sorted(after) for state, after in checks.NEXT.items()}
