"""What a load run was: throughput, times by step, errors by kind, orders, who answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

SHARES = (0.5, 0.95, 0.99)


@dataclass
class Run:
    """A run: Locust's statistics by step, the outcomes, and what the databases say."""

    shape: str
    url: str
    stats: Sequence[Mapping[str, Any]]
    outcomes: Mapping[str, Any]
    exit_code: int
    offenders: list[str] | None = None
    """None: only the API could be reached."""
    oversold: int | None = None
    errors: Mapping[str, int] = field(default_factory=dict)
    """Failures by step and kind."""

    @property
    def failures(self) -> list[str]:
        """Why the run failed, a line each; empty when it passed."""
        found = [f"{count:,} × {kind}" for kind, count in self.errors.items()]
        found += [f"audit: {line}" for line in (self.offenders or [])[:20]]
        if self.oversold:
            found.append(f"{self.oversold} units oversold")
        if not self.requests:
            found.append("no request was made")
        if self.exit_code and not found:
            found.append(f"locust ended with {self.exit_code}")
        return found

    @property
    def requests(self) -> int:
        """All requests."""
        return sum(int(step["num_requests"]) for step in self.stats)

    @property
    def seconds(self) -> float:
        """From the first request to the last answer."""
        if not self.requests:
            return 0.0
        last = max(step["last_request_timestamp"] or 0 for step in self.stats)
        return float(last - min(step["start_time"] for step in self.stats))

    def lines(self) -> list[str]:
        """Markdown."""
        rate = self.requests / self.seconds if self.seconds else 0.0
        orders = int(self.outcomes["orders"])
        told = [
            f"# Load: {self.shape}",
            "",
            f"{self.url}, {self.seconds:.0f} s: {self.requests:,} requests ({rate:.1f} a second), {orders:,} orders"
            f" ({orders / max(1.0, self.seconds):.2f} a second), {sum(self.outcomes['sold'].values()):,} units.",
            "",
            "| step | requests | failed | p50 | p95 | p99 |",
            "|---|---|---|---|---|---|",
        ]
        for step in sorted(self.stats, key=lambda each: each["name"]):
            times = " | ".join(f"{percentile(step['response_times'], share):.0f} ms" for share in SHARES)
            told.append(f"| {step['name']} | {step['num_requests']:,} | {step['num_failures']:,} | {times} |")
        told += ["", *self._outcomes(), "", "**Passed.**" if not self.failures else "**FAILED:**"]
        return told + [f"- {line}" for line in self.failures]

    def _outcomes(self) -> list[str]:
        refused = ", ".join(f"{count:,} {code}" for code, count in self.outcomes["refused"].items()) or "none"
        served = self.outcomes["served"]
        audit = "not possible: only the API can be reached"
        if self.offenders is not None:
            audit = f"{len(self.offenders)} offenders" if self.offenders else "no offenders"
        oversold = "not known" if self.oversold is None else str(self.oversold)
        return [
            f"- refused as a shop may: {refused}",
            f"- answered 202, to go on by itself: {self.outcomes['accepted']}",
            f"- oversold units: {oversold}",
            f"- share of each products instance: {shares(served, 'products-')}",
            f"- audit: {audit}",
        ]


def shares(served: Mapping[str, int], prefix: str) -> str:
    """`products-1 51 %, products-2 49 %`."""
    mine = {name: count for name, count in sorted(served.items()) if name.startswith(prefix)}
    total = sum(mine.values())
    return ", ".join(f"{name} {count / total:.0%}" for name, count in mine.items()) or "not known"


def percentile(histogram: Mapping[str, int], share: float) -> float:
    """Milliseconds, from Locust's counts by rounded time; 0 where there are none."""
    left = share * sum(histogram.values())
    for time, count in sorted((float(time), count) for time, count in histogram.items()):
        left -= count
        if left <= 0:
            return time
    return 0.0
