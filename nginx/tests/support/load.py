"""Clients that keep reading while something happens, and remember every answer that was not 200."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

from tests.support.client import Answer, ask

PAUSE = 0.02
"""Seconds between an answer and the next question: to ask at any moment, and not to keep the machine busy."""


class Load:
    """So many clients, each asking one thing after another until it is stopped."""

    def __init__(self, request: Callable[[int], Answer], clients: int) -> None:
        self.request, self.numbers, self.stopped = request, count(), threading.Event()
        self.seconds: list[float] = []
        self.failed: list[str] = []
        self.threads = [threading.Thread(target=self.run) for _ in range(clients)]

    def run(self) -> None:
        """One client."""
        while not self.stopped.is_set():
            started = time.monotonic()
            try:
                answer = self.request(next(self.numbers))
                if answer.status != 200:
                    self.failed.append(f"{answer.status} {answer.body[:200]!r}")
            except OSError as error:
                self.failed.append(repr(error))
            self.seconds.append(time.monotonic() - started)
            time.sleep(PAUSE)

    def percentile(self, share: float) -> float:
        """The time that this share of all requests stayed below."""
        return sorted(self.seconds)[int(share * (len(self.seconds) - 1))]


@contextmanager
def load(request: Callable[[int], Answer], clients: int = 8) -> Iterator[Load]:
    """Runs clients while the block runs; afterwards they have all had their last answer."""
    running = Load(request, clients)
    for thread in running.threads:
        thread.start()
    try:
        yield running
    finally:
        running.stopped.set()
        for thread in running.threads:
            thread.join(30)


def get(port: int, path: str) -> Callable[[int], Answer]:
    """Reads of pages that are in no cache."""
    return lambda number: ask(port, f"{path}?page={number}-{time.monotonic_ns()}")
