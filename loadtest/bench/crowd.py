"""Many people at once: threads that do the same thing again and again, and how long each step of it took."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from loadtest.bench.wire import Answer, Wire


@dataclass
class Tally:
    """Durations in seconds by step, and what went wrong by kind. Threads may add to it at the same time."""

    durations: dict[str, list[float]] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Counts one step; a step that raises ``Failed`` is counted as an error and not as done."""
        begin = time.perf_counter()
        yield
        self.durations.setdefault(step, []).append(time.perf_counter() - begin)

    def count(self, step: str) -> int:
        """How often a step was done."""
        return len(self.durations.get(step, ()))

    def percentile(self, step: str, share: float) -> float:
        """Seconds; 0 where the step was never done."""
        values = sorted(self.durations.get(step, ()))
        return values[min(len(values) - 1, int(share * len(values)))] if values else 0.0


class Failed(Exception):
    """An answer that is not the expected one; what was begun is given up."""


def expect(answer: Answer, status: int) -> Answer:
    """The answer, if it has this status; else ``Failed`` with its kind."""
    if answer.status != status:
        raise Failed(answer.kind)
    return answer


Person = Callable[[Wire, random.Random, Tally], None]


def crowd(person: Person, *, port: int, people: int, seconds: float) -> Tally:
    """``people`` threads, each with a connection of its own, for so long; what was begun then is finished."""
    tally, begin = Tally(), time.perf_counter()

    def live(number: int) -> None:
        wire, chance = Wire(port), random.Random(number + time.time_ns())  # noqa: S311 - carts of goods, no secrets
        while time.perf_counter() < begin + seconds:
            try:
                person(wire, chance, tally)
            except Failed as why:
                tally.errors[str(why)] += 1
                time.sleep(0.05)
        wire.close()

    threads = [threading.Thread(target=live, args=(number,), daemon=True) for number in range(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tally.seconds = time.perf_counter() - begin
    return tally
