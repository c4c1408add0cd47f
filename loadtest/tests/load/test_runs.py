"""Short real runs: people on a real shop, the audit after them, and each kind of measurement once."""

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
    monkeypatch.setenv("DURATION", "10")
    run = load(target(stand), "smoke", tmp_path / "run")
    assert run is not None
    assert run.failures == []
    assert (run.offenders, run.oversold) == ([], 0)
    assert {"list", "put line", "open cart"} <= {step["name"] for step in run.stats}
    assert {"products-1", "products-2"} <= set(run.outcomes["served"])
    assert "<html" in (tmp_path / "run" / "report.html").read_text()


def test_what_does_not_answer_as_it_should_fails_the_run(
    stand: Stand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DURATION", "6")
    stand.shop.stop("cart")
    try:
        run = load(target(stand), "smoke", tmp_path / "run")
    finally:
        stand.shop.start("cart")
    assert run is not None
    assert any(line.split(" × ")[1].startswith("open cart: 50") for line in run.failures)


def test_the_old_way_needs_locust_alone(stand: Stand, tmp_path: Path) -> None:
    words = ["--headless", "--users", "3", "--spawn-rate", "3", "--run-time", "4s", "--only-summary"]
    # -P and another folder: nothing of this repository can be imported but what is beside the locustfile.
    command = [sys.executable, "-P", "-m", "locust", "-f", str(LOCUSTFILE), "--host", stand.shop.url, *words]
    done = subprocess.run(command, cwd=tmp_path, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Aggregated" in done.stderr


def test_a_shop_that_is_not_there(tmp_path: Path) -> None:
    assert load(Target("http://127.0.0.1:1", None), "smoke", tmp_path / "run") is None


@pytest.mark.parametrize("name", ["checkout", "page", "statements", "flash"])
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
