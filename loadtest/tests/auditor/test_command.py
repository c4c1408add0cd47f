"""``make audit`` as a person runs it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg2

from loadtest.tests.auditor.population import order_id
from loadtest.tests.auditor.servers import ROOT

Spoil = Callable[..., dict[str, str]]


def start(urls: dict[str, str], **variables: str) -> "subprocess.Popen[str]":
    named = {f"AUDIT_{name.upper()}_URL": url for name, url in urls.items()}
    return subprocess.Popen(
        [sys.executable, "-m", "loadtest.auditor"],
        cwd=ROOT,
        env={"PATH": os.defpath} | named | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_clean_shop_ends_with_0_and_a_line_for_each_invariant(clean: dict[str, str]) -> None:
    audit = start(clean)
    output, errors = audit.communicate(timeout=60)
    assert (audit.returncode, errors) == (0, "")
    told = output.splitlines()
    assert len(told) == 20
    assert told[5].split()[:4] == ["totals", "294", "checked", "ok"]
    assert told[-1].startswith("no offenders, 6 left aside that changed just now, in ")


def test_offenders_are_named_and_it_ends_with_1(spoil: Spoil) -> None:
    urls = spoil(testpay="UPDATE charge SET state = 'declined' WHERE state = 'succeeded'")
    audit = start(urls, AUDIT_OFFENDERS="1000")
    output, _ = audit.communicate(timeout=60)
    assert audit.returncode == 1
    assert f"order {order_id('completed')}: completed, its charge is declined" in output
    audit = start(urls, AUDIT_OFFENDERS="2")
    output, _ = audit.communicate(timeout=60)
    assert output.count("its charge is declined") == 2
    assert "(AUDIT_OFFENDERS=0 shows all)" in output


def test_no_shop_and_no_database_end_with_2_and_what_to_do(clean: dict[str, str], tmp_path: Path) -> None:
    audit = start({}, COMPTOIR_STATE=str(tmp_path))
    _, errors = audit.communicate(timeout=60)
    assert audit.returncode == 2
    assert "start one with `make up`, or name its state folder in COMPTOIR_STATE" in errors
    audit = start(clean | {"stock": "postgres://postgres@127.0.0.1:9/stock"})
    _, errors = audit.communicate(timeout=60)
    assert audit.returncode == 2
    assert "Connection refused" in errors
    assert "Traceback" not in errors


def test_ctrl_c_ends_a_long_query_with_one_line(spoil: Spoil) -> None:
    urls = spoil(orders="UPDATE orders_order SET attempts = 1")
    holder = psycopg2.connect(urls["orders"])
    with holder.cursor() as cursor:
        cursor.execute("LOCK TABLE orders_order")
        audit = start(urls)
        waits = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'auditor' AND wait_event_type = 'Lock'"
        for _ in range(600):
            cursor.execute(waits)
            if cursor.fetchone() == (1,):
                break
            time.sleep(0.05)
            cursor.execute("SELECT pg_stat_clear_snapshot()")
        audit.send_signal(signal.SIGINT)
        _, errors = audit.communicate(timeout=10)
    holder.close()
    assert audit.returncode == 130
    assert errors.splitlines()[-1] == "audit: interrupted, nothing is proved"
    assert "Traceback" not in errors
