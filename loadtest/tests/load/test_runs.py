"""Short real runs: people on a real shop, the audit after them, and each kind of measurement once."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from loadtest import auditor
from loadtest.bench import measurements
from loadtest.bench.stand import Stand, check_uncached
from loadtest.load.__main__ import load
from loadtest.load.target import Target

LOCUSTFILE = Path(__file__).parents[2] / "locustfile.py"


def target(stand: Stand) -> Target:
    return Target(stand.shop.url, auditor.of_secrets(stand.shop.state.secrets))


def test_people_shop_and_every_promise_is_kept(stand: Stand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DURATION", "8")
    run = load(target(stand), "smoke", tmp_path / "run")
    assert run is not None
    assert run.failures == []
    assert (run.offenders, run.oversold) == ([], 0)
    assert {"list", "put line", "open cart"} <= {step["name"] for step in run.stats}
    assert {"products-1", "products-2"} <= set(run.outcomes["served"])
    assert "<html" in (tmp_path / "run" / "report.html").read_text()


def test_the_old_way_needs_locust_alone_and_failures_fail_it(stand: Stand, tmp_path: Path) -> None:
    words = ["--headless", "--users", "6", "--spawn-rate", "6", "--run-time", "10s", "--only-summary"]
    # -P and another folder: nothing of this repository can be imported but what is beside the locustfile.
    command = [sys.executable, "-P", "-m", "locust", "-f", str(LOCUSTFILE), "--host", stand.shop.url, *words]
    stand.shop.stop("cart")
    try:
        done = subprocess.run(command, cwd=tmp_path, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True)
    finally:
        stand.shop.start("cart")
    assert done.returncode == 1, done.stderr
    assert re.search(r"[1-9]\d* +POST open cart: .*50[23]", done.stderr), done.stderr
    assert re.search(r"GET +[a-z ,]+ [1-9]\d* +0\(0", done.stderr), done.stderr


def test_a_shop_that_is_not_there(tmp_path: Path) -> None:
    assert load(Target("http://127.0.0.1:1", None), "smoke", tmp_path / "run") is None


@pytest.mark.parametrize("name", ["checkout", "statements", "flash"])
def test_a_measurement(stand: Stand, name: str) -> None:
    sample = stand.measure(measurements.MEASUREMENTS[name], 1.0)
    assert sample.errors == {}
    assert sample.rate > 0
    assert sample.figure("cpu") > 0
    assert sample.transactions["yardstick" if name == "statements" else "products"] > 0


def test_reads_that_are_not_cached(stand: Stand) -> None:
    check_uncached(stand)
    sample = stand.measure(measurements.MEASUREMENTS["list"], 1.0)
    assert (sample.errors, sample.cpu["products"] > 0.1) == ({}, True)
    assert stand.audit() == []
    assert {"products-1", "orders-worker", "postgres"} <= set(stand.memory())
