"""What the figures are made of: parsing, percentiles, ratios, verdicts, the books of processes."""

import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from typing import Any

import pytest

from loadtest.bench import accounting, plot, reads, report, yardsticks
from loadtest.bench.crowd import Tally
from loadtest.bench.flash import Rush
from loadtest.bench.measurements import MEASUREMENTS, ROWS, YARDSTICKS, Row
from loadtest.bench.sample import Sample


def samples() -> dict[str, list[Sample]]:
    def sample(count: int, **more: Any) -> Sample:
        return Sample(count, 2.0, {"read p50": 2.0}, cpu={"postgres": 1.0, "orders": 3.0}, **more)

    return {"bare": [sample(2000)], "list": [sample(1000), sample(1400), sample(3000, errors=Counter({"503": 2}))]}


def test_percentiles_of_a_crowd() -> None:
    tally = Tally({"order": [number / 1000 for number in range(1, 101)]}, Counter({"503": 1}), seconds=4.0)
    sample = Sample.of(tally, "order")
    assert (sample.count, sample.rate) == (100, 25.0)
    assert sample.times == pytest.approx(
        {"order p50": 51.0, "order p95": 96.0, "order p99": 100.0, "order longest": 100.0}
    )
    assert Tally().percentile("nothing", 0.5) == 0.0


def test_a_row_is_the_median_of_its_rounds_held_against_the_yardstick() -> None:
    row = Row("list", "list", "rate", "/s", 800, 600, "bare")
    assert report.ratio(row, samples()) == pytest.approx(0.7)
    (line,) = [line for line in report.table(samples()) if "list of 20" in line]
    assert "**700**/s | 500 | 1,500 | 0.7 × bare | 1,000, 600 | floor met" in line
    assert report.errors(samples()) == ["list: 2 × 503"]


@pytest.mark.parametrize(
    ("unit", "found", "said"),
    [
        ("/s", 100.0, "goal met"),
        ("/s", 99.0, "floor met"),
        ("/s", 59.0, "BELOW FLOOR"),
        ("ms", 61.0, "BELOW FLOOR"),
        ("ms", 60.0, "floor met"),
    ],
)
def test_verdicts(unit: str, found: float, said: str) -> None:
    goal, floor = (100.0, 60.0) if unit == "/s" else (30.0, 60.0)
    assert report.verdict(Row("", "", "", unit, goal, floor), found) == said


def test_every_row_has_its_measurement_and_yardstick() -> None:
    assert {row.measurement for row in ROWS} == set(MEASUREMENTS)
    assert {row.yardstick for row in ROWS} - {None} <= set(YARDSTICKS)


def test_what_wrk_says() -> None:
    said = """Running 1s test\nRequests/sec: 9\n{"requests": 90, "seconds": 1.5, "times": {"read p50": 2.5},
    "errors": {"connect": 0, "read": 0, "write": 0, "timeout": 1, "status": 30}}""".replace("\n    ", " ")
    sample = reads.parsed(said)
    assert (sample.count, sample.rate, sample.figure("read p50")) == (60, 40.0, 2.5)
    assert sample.errors == {"wrk: timeout": 1, "wrk: status": 30}


def test_what_pgbench_says() -> None:
    said = """number of transactions actually processed: 500\nnumber of failed transactions: 3 (0.6%)
latency average = 31.5 ms\ntps = 250.0 (without initial connection time)"""
    sample = yardsticks.parsed(said)
    assert (sample.count, sample.rate, sample.errors) == (500, 250.0, {"failed": 3})
    with pytest.raises(RuntimeError, match="pgbench said: nonsense"):
        yardsticks.parsed("nonsense")


def test_a_flash_sale_that_sells_too_much_is_an_error() -> None:
    told = [("201", 0.0, 1.0), ("201", 0.0, 2.0), ("409 insufficient_stock", 2.1, 2.2), ("503 x", 0.0, 1.0)]
    exact, over = Rush(told).sample(units=2), Rush(told).sample(units=1)
    assert (exact.rate, exact.errors) == (1.0, {"503 x": 1})
    assert exact.times["refusal once sold out p50"] == pytest.approx(100.0)
    assert over.errors == {"503 x": 1, "2 of 1 units sold": 1}


def test_the_books_know_what_a_process_and_its_ended_children_used() -> None:
    burn = "import time; end = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
    parent = (
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}]); print('done', flush=True); input()"
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        usage = accounting.Usage.begin({"orders-worker": process.pid})
        process.stdout.readline()
        used = usage.since({"orders-worker": process.pid})
        sizes = accounting.memory({"orders-worker": process.pid})
        kept = accounting.cpu({accounting.KEEPER: process.pid})[accounting.KEEPER]
        process.communicate(b"\n")
    assert used["orders"] == pytest.approx(0.35, abs=0.2)
    assert kept < used["orders"]
    assert sizes["orders-worker"] > 1024 * 1024


def test_plots_are_svg() -> None:
    bars = plot.bars("A <heading>", "note", [plot.Bar("one & all", "5/s", 0.4, (0.3, 0.5), 0.5)])
    curves = plot.curves("Cost", "note", [5_000, 1_000_000], {"list": [1.0, 1.2], "search": [1.0, 2.0]})
    assert "one & all" in "".join(ET.fromstring(bars).itertext())
    assert "1.20  list" in "".join(ET.fromstring(curves).itertext())
