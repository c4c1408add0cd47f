"""The verdict over a run, and what a person reads of it."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from loadtest.load.summary import Run, percentile, shares
from loadtest.people import SHAPES
from loadtest.people.outcomes import Outcomes

STEP = {
    "name": "place order",
    "num_requests": 4,
    "num_failures": 0,
    "start_time": 100.0,
    "last_request_timestamp": 102.0,
    "response_times": {"10": 2, "200": 1, "3000": 1},
}


def run(**changes: Any) -> Run:
    refused, served = Counter(insufficient_stock=1), Counter({"products-1": 3})
    outcomes = vars(Outcomes(orders=3, sold=Counter({"1": 5}), refused=refused, served=served))
    values: dict[str, Any] = {
        "stats": [STEP],
        "outcomes": outcomes,
        "exit_code": 0,
        "offenders": [],
        "oversold": 0,
    } | changes
    return Run(shape="steady", url="http://shop", **values)


def test_a_good_run_says_what_happened() -> None:
    told = "\n".join(run().lines())
    assert run().failures == []
    assert "4 requests (2.0 a second), 3 orders (1.50 a second), 5 units" in told
    assert "| place order | 4 | 0 | 10 ms | 3000 ms | 3000 ms |" in told
    for line in ("refused as a shop may: 1 insufficient_stock", "oversold units: 0", "audit: no offenders", "Passed"):
        assert line in told


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"errors": {"search: 503 unavailable": 2}}, "2 × search: 503 unavailable"),
        ({"offenders": ["SKU 1: gone"]}, "audit: SKU 1: gone"),
        ({"oversold": 3}, "3 units oversold"),
        ({"stats": []}, "no request was made"),
        ({"exit_code": 1}, "locust ended with 1"),
    ],
)
def test_what_fails_a_run(changes: dict[str, Any], why: str) -> None:
    assert run(**changes).failures == [why]
    assert "**FAILED:**" in run(**changes).lines()


def test_without_databases_it_says_that_nobody_audited() -> None:
    told = "\n".join(run(offenders=None, oversold=None).lines())
    assert "audit: not possible: only the API can be reached" in told
    assert "oversold units: not known" in told


def test_percentiles_and_shares() -> None:
    assert [percentile({"9": 1, "10": 1, "200": 2}, share) for share in (0.25, 0.5, 0.51, 1)] == [9, 10, 200, 200]
    assert percentile({}, 0.5) == 0
    assert shares({"products-2": 1, "products-1": 3, "cart": 9}, "products-") == "products-1 75%, products-2 25%"


def test_every_shape_has_its_name() -> None:
    assert SHAPES == ("smoke", "steady", "steps", "spike", "flash", "soak")


def test_how_many_people_each_shape_sends() -> None:
    """In a process of its own: Locust changes the standard library of whoever imports it."""
    code = """
import json, sys
sys.path.insert(0, sys.argv[1])
from people import shapes
found = {}
for name, kind in shapes.BY_NAME.items():
    shape = kind()
    found[name] = []
    for share in (0.1, 0.5, 0.9, 1.1):
        shape.get_run_time = lambda: share * shape.lasts
        ticked = shape.tick()
        found[name].append(ticked and ticked[0])
print(json.dumps(found))
"""
    command = [sys.executable, "-c", code, str(Path(__file__).parents[2])]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin"})
    assert json.loads(done.stdout) == {
        "smoke": [8, 8, 8, None],
        "steady": [40, 40, 40, None],
        "steps": [80, 320, 560, None],
        "spike": [10, 100, 10, None],
        "flash": [200, 200, 200, None],
        "soak": [30, 30, 30, None],
    }
