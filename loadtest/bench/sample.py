"""What one run of one measurement found."""

from collections import Counter
from dataclasses import dataclass, field

from loadtest.bench.crowd import Tally

SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "longest": 1.0}


@dataclass
class Sample:
    """``count`` operations in ``seconds``; ``times`` in milliseconds, as ``place order p95``; errors by kind."""

    count: int
    seconds: float
    times: dict[str, float] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)
    cpu: dict[str, float] = field(default_factory=dict)
    """Milliseconds of CPU per operation, by group of processes."""
    client_cpu: float = 0.0
    """Milliseconds per operation that the measuring took."""
    transactions: dict[str, float] = field(default_factory=dict)
    """Database transactions per operation, by database."""

    @property
    def rate(self) -> float:
        """Operations a second."""
        return self.count / self.seconds if self.seconds else 0.0

    def figure(self, what: str) -> float:
        """A figure by its name: ``rate``, ``seconds``, ``cpu`` (all groups) or one of ``times``."""
        if what == "rate":
            return self.rate
        if what == "seconds":
            return self.seconds
        return sum(self.cpu.values()) if what == "cpu" else self.times[what]

    @classmethod
    def of(cls, tally: Tally, operation: str) -> "Sample":
        """Everything that a crowd did; the step ``operation`` is what counts."""
        times = {
            f"{step} {name}": tally.percentile(step, share) * 1000
            for step in tally.durations
            for name, share in SHARES.items()
        }
        return cls(tally.count(operation), tally.seconds, times, tally.errors)
