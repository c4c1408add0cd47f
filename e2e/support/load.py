"""People who keep asking while something happens to the shop; every answer is remembered."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

PATIENCE_SECONDS = 20


class Failed(Exception):  # noqa: N818 - what it is, not a mistake
    """A request that was not answered as it should be."""


class Caller:
    """Each request goes on a connection of its own: what fails is the fault of the shop, not of an idle connection."""

    def __init__(self, url: str) -> None:
        self._host = urlsplit(url).netloc
        self.seconds: list[float] = []
        self.failed: list[str] = []

    def call(self, wanted: set[int], method: str, path: str, data: Any = None, **headers: str) -> Any:
        """The document of an answer with one of these statuses; anything else is remembered and raises Failed."""
        sent = {"Content-Type": "application/json", **{name.replace("_", "-"): it for name, it in headers.items()}}
        body = None if data is None else json.dumps(data)
        began = time.monotonic()
        connection = http.client.HTTPConnection(self._host, timeout=PATIENCE_SECONDS)
        try:
            connection.request(method, f"/api/v1{path}", body, sent if body or headers else {})
            answer = connection.getresponse()
            content = answer.read()
            what = "" if answer.status in wanted else f"{answer.status} {content[:300]!r}"
        except (OSError, http.client.HTTPException) as error:
            what = repr(error)
        finally:
            connection.close()
            self.seconds.append(time.monotonic() - began)
        if what:
            self.failed.append(f"{method} {path}: {what} after {self.seconds[-1]:.2f} s")
            raise Failed(what)
        return json.loads(content) if content else None


class Load:
    """What all of them saw. ``seconds`` has the time of every request, failed ones too."""

    def __init__(self, callers: list[Caller]) -> None:
        self._callers = callers

    @property
    def seconds(self) -> list[float]:
        """Sorted."""
        return sorted(second for caller in self._callers for second in caller.seconds)

    @property
    def failed(self) -> list[str]:
        """One line for each failure."""
        return [line for caller in self._callers for line in caller.failed]

    def percentile(self, share: float) -> float:
        """The seconds that this share of all requests stayed below."""
        seconds = self.seconds
        return seconds[int(share * (len(seconds) - 1))]


@contextmanager
def load(url: str, visit: Callable[[Caller, int], None], clients: int) -> Iterator[Load]:
    """Runs ``visit`` again and again in each client while the block runs; its number tells one client from another."""
    stop = threading.Event()
    callers = [Caller(url) for _ in range(clients)]

    def live(number: int) -> None:
        while not stop.is_set():
            try:
                visit(callers[number], number)
            except Failed:
                stop.wait(0.05)

    threads = [threading.Thread(target=live, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield Load(callers)
    finally:
        stop.set()
        for thread in threads:
            thread.join(2 * PATIENCE_SECONDS)
