"""How many people there are at each moment. DURATION (seconds) shortens or lengthens a shape."""

import os

from locust import LoadTestShape

from . import SHAPES

Tick = tuple[int, float] | None
BROKEN_MS = 1500
"""The 95th percentile at which `steps` calls the shop overrun: what 99 % of checkouts are promised to stay below."""


class Shape(LoadTestShape):
    """``people`` for ``seconds``."""

    abstract = True
    people, seconds, spawn_rate = 0, 0.0, 5.0

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        # DURATION: how long it lasts, in seconds, instead of its own time.
        self.lasts = float(os.environ.get("DURATION") or self.seconds)

    def tick(self) -> Tick:
        """How many there should be now; None when it is over."""
        now = self.get_run_time()  # type: ignore[no-untyped-call]
        return (self.people_at(now / self.lasts), self.spawn_rate) if now < self.lasts else None

    def people_at(self, share: float) -> int:
        """How many when that share of the time is over."""
        return self.people


class Smoke(Shape):
    """A few, for a moment: does everything work?"""

    people, seconds = 8, 20.0


class Steady(Shape):
    """An ordinary day."""

    people, seconds = 40, 120.0


class Spike(Shape):
    """Few, then suddenly ten times as many, then few again."""

    people, seconds, spawn_rate = 10, 120.0, 50.0

    def people_at(self, share: float) -> int:
        """Ten times as many in the middle third."""
        return self.people * (10 if 1 / 3 <= share < 2 / 3 else 1)


class Steps(Shape):
    """20 more every 20 seconds, until the shop takes too long or something fails."""

    people, seconds, spawn_rate = 20, 600.0, 20.0

    def tick(self) -> Tick:
        """One step more, or the end."""
        if self.runner is None:
            return super().tick()
        total = self.runner.stats.total
        slow = total.get_current_response_time_percentile(0.95) or 0
        if total.num_failures or slow > BROKEN_MS:
            print(
                f"overrun with {self.runner.user_count} people: p95 {slow} ms, {total.num_failures} failures",
                flush=True,
            )
            return None
        return super().tick()

    def people_at(self, share: float) -> int:
        """One step every 20 s."""
        return self.people * (1 + int(share * self.lasts / 20))


class Flash(Shape):
    """One product, 200 who want it at once; they go on asking after it is sold out."""

    people, seconds, spawn_rate = 200, 45.0, 200.0


class Soak(Shape):
    """A moderate day that lasts: does anything grow?"""

    people, seconds = 30, 3600.0


BY_NAME = dict(zip(SHAPES, (Smoke, Steady, Steps, Spike, Flash, Soak), strict=True))
