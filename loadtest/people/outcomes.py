"""What came of it, beyond the statistics of Locust: orders, units sold, refusals that are no failures, who answered."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Outcomes:
    """Counted while people shop."""

    orders: int = 0
    """Confirmed to a buyer (201)."""
    accepted: int = 0
    """Answered 202: they go on by themselves."""
    sold: Counter[str] = field(default_factory=Counter)
    """Units in confirmed orders, by SKU."""
    refused: Counter[str] = field(default_factory=Counter)
    """Refusals that a shop may make, by the problem's code: short stock is an outcome, not a failure."""
    served: Counter[str] = field(default_factory=Counter)
    """Answers by the instance that gave them (X-Served-By)."""

    def bought(self, order: dict[str, Any]) -> None:
        """Counts a confirmed order."""
        self.orders += 1
        for line in order["lines"]:
            self.sold[line["sku"]] += line["quantity"]

    def line(self) -> str:
        """For the progress on the terminal."""
        refused = ", ".join(f"{count} {code}" for code, count in self.refused.items())
        return f"{self.orders} orders" + (f", refused: {refused}" if refused else "")

    def write(self, path: Path, runner: Any) -> None:
        """As JSON, for the summary of `make load`: with Locust's statistics by step, and failures by kind."""
        stats = [entry.serialize() for entry in runner.stats.entries.values()]
        errors = {f"{each.name}: {each.error}": each.occurrences for each in runner.stats.errors.values()}
        errors |= {f"exception: {each['msg']}": each["count"] for each in runner.exceptions.values()}
        path.write_text(json.dumps({"outcomes": vars(self), "stats": stats, "errors": errors}))
