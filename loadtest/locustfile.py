"""Load for a shop that runs: locust -f loadtest/locustfile.py --host http://localhost:8080

Needs `pip install locust` and nothing else. Without SHAPE the web page (port 8089) asks how many people to send; with
SHAPE=smoke, steady, steps, spike, flash or soak that is given. `make load` starts a shop, uses this and judges.

OUTCOMES: a file for what was sold and refused. FLASH_SKU: what everybody wants with SHAPE=flash.
"""

import os
import sys
from pathlib import Path
from typing import Any

import gevent
from locust import events

from people import goods, outcomes, shapes, visitor

SHAPE = os.environ.get("SHAPE", "")
if SHAPE and SHAPE not in shapes.BY_NAME:
    sys.exit(f"SHAPE is {SHAPE!r}: choose one of {', '.join(shapes.BY_NAME)}")
if SHAPE:
    Chosen = shapes.BY_NAME[SHAPE]  # Locust takes the one shape that it finds here
if SHAPE == "flash":
    from people.journeys import FlashBuyer
else:
    from people.journeys import Customer, Guest, Looker  # noqa: F401 - Locust looks for them here

KNOWN = outcomes.Outcomes()
visitor.Visitor.outcomes = KNOWN


@events.test_start.add_listener
def look_at_the_shop(environment: Any, **_: Any) -> None:
    """Reads what is sold, once, before anybody comes."""
    try:
        visitor.Visitor.goods = goods.of_shop(environment.host)
    except (OSError, ValueError) as why:
        print(f"no load: {why}", file=sys.stderr, flush=True)
        environment.process_exit_code = 2
        environment.runner.quit()
        return
    if SHAPE == "flash":
        FlashBuyer.sku = os.environ.get("FLASH_SKU") or visitor.Visitor.goods.product().sku
    gevent.spawn(_progress, environment)


@events.quitting.add_listener
def write_down(environment: Any, **_: Any) -> None:
    """For whoever started this."""
    if path := os.environ.get("OUTCOMES"):
        KNOWN.write(Path(path), environment.runner)


def _progress(environment: Any) -> None:
    """A line every five seconds."""
    stats, seconds = environment.runner.stats.total, 0
    while environment.runner.state not in ("stopping", "stopped"):
        gevent.sleep(5)
        seconds += 5
        slow = stats.get_current_response_time_percentile(0.95) or 0
        print(
            f"{seconds:4} s  {environment.runner.user_count:3} people  {stats.current_rps:6.1f} requests/s  "
            f"p95 {slow:5.0f} ms  {stats.num_failures} failures  {KNOWN.line()}",
            flush=True,
        )
