"""What happens at five times the load that the shop can carry: `make -C nginx overload`.

A real shop with its real goods (local/), default settings but for LIMIT_REQUESTS where that is set. How much it can
carry is measured first: lists of 20 products past the cache, 16 clients without a pause. Then wrk offers 0.8, 1, 2
and 5 times as much, over 2000 connections. What was answered, and how fast, is in the gateway's own log; what somebody
sees who opens a connection for each request is measured beside it.
"""

import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from local import ports
from local.shop import Shop

from bench.wrk import require, wrk

SECONDS = int(os.environ.get("SECONDS_A_ROUND", "10"))
CONNECTIONS = 2000
PATH = "/api/v1/products?limit=20"
LOADS = (0.8, 1, 2, 5)
AT_ONCE = int(os.environ.get("LIMIT_REQUESTS", "512"))


@dataclass
class Outcome:
    """Seconds that answers took, by status."""

    seconds: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))

    def rate(self, status: int) -> float:
        """Answers a second."""
        return len(self.seconds[status]) / SECONDS

    def percentile(self, status: int, share: float) -> float:
        """Milliseconds; 0 where there was no such answer."""
        values = sorted(self.seconds[status]) or [0.0]
        return values[int(share * (len(values) - 1))] * 1000


def main() -> None:
    """Prints a table, and the two figures it is for."""
    require()
    with tempfile.TemporaryDirectory(prefix="comptoir-overload-") as name:
        Path(name).chmod(0o755)
        state = Path(name) / "state"
        # A file of its own: supervisor starts another one after every 10 MB.
        log = state / "run" / "nginx" / "access.log"
        settings = {"GATEWAY_ACCESS_LOG": str(log), "LIMIT_REQUESTS": str(AT_ONCE)}
        shop = Shop(state, ports.free_offset(), settings)
        try:
            shop.up(say=lambda line: print(f"  {line}", file=sys.stderr))
            measure(shop.ports["GATEWAY_PORT"], log)
        finally:
            shop.forget()


def measure(port: int, log: Path) -> None:
    """All loads, one after the other."""
    url = f"http://127.0.0.1:{port}{PATH}"
    wrk(url, connections=16, seconds=2, script="fresh.lua")
    capacity = wrk(url, connections=16, seconds=SECONDS, script="fresh.lua").rate
    print(f"the shop carries {capacity:.0f} uncached lists a second; LIMIT_REQUESTS={AT_ONCE}, rounds of {SECONDS} s\n")
    print("| load | offered/s | 200/s | p50, p99 of 200 | 429/s | p95, p99 of 429 | p99 seen by a client | 503/s |")
    print("|---|---|---|---|---|---|---|---|")
    good = [capacity]
    for load in LOADS:
        logged, seen = offer(log, port, url, capacity * load, AT_ONCE if load > 1 else 0)
        good.append(logged.rate(200))
        total = sum(map(logged.rate, list(logged.seconds)))
        times = f"{logged.percentile(200, 0.5):.0f}, {logged.percentile(200, 0.99):.0f} ms"
        refused = f"{logged.percentile(429, 0.95):.0f}, {logged.percentile(429, 0.99):.0f} ms"
        shed = f"{logged.rate(429):.0f} | {refused} | {seen.percentile(429, 0.99):.0f} ms"
        print(f"| {load} | {total:.0f} | {good[-1]:.0f} | {times} | {shed} | {logged.rate(503):.0f} |", flush=True)
    print(f"\ngoodput at five times the load: {good[-1] / max(good):.0%} of its peak (goal 90 %)")


def offer(log: Path, port: int, url: str, rate: float, waiting: int) -> tuple[Outcome, Outcome]:
    """What the gateway's log says of some seconds of this load, and what one more client saw."""
    # Those whose requests are under way do not ask.
    interval = (CONNECTIONS - waiting) / rate * 1000
    script = str(Path(__file__).with_name("offer.lua"))
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS + 4}s", "--timeout", "10s", "-s", script, url, "--"]
    offering = subprocess.Popen([*command, str(interval)], stdout=subprocess.DEVNULL)
    time.sleep(3)
    seen, over = Outcome(), threading.Event()
    looking = threading.Thread(target=look, args=(port, seen, over))
    looking.start()
    begin = log.stat().st_size
    time.sleep(SECONDS)
    end = log.stat().st_size
    over.set()
    looking.join()
    offering.wait(30)
    time.sleep(2)
    return read(log, begin, end), seen


def look(port: int, seen: Outcome, over: threading.Event) -> None:
    """Forty requests a second, each on a connection of its own."""
    while not over.wait(0.025):
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        with suppress(OSError, http.client.HTTPException):
            connection.request("GET", PATH, headers={"Cookie": "fresh=1"})
            answer = connection.getresponse()
            answer.read()
            seen.seconds[answer.status].append(time.monotonic() - began)
        connection.close()


def read(log: Path, begin: int, end: int) -> Outcome:
    """The answers between two places of the access log."""
    outcome = Outcome()
    with log.open("rb") as file:
        file.seek(begin)
        for line in file.read(end - begin).splitlines():
            with suppress(ValueError, KeyError):
                entry = json.loads(line)
                outcome.seconds[entry["status"]].append(entry["duration"])
    return outcome


if __name__ == "__main__":
    main()
