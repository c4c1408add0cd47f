"""What happens at five times the load that the shop can carry: `make -C nginx overload`.

A real shop with its real goods (local/), default settings but for LIMIT_REQUESTS where that is set. How much it can
carry is measured first: lists of 20 products past the cache, 16 clients without a pause. Then wrk offers 0.8, 1, 2
and 5 times as much, over as many connections as may be under way and 128 more: wrk looks through all that pause
whenever one of them goes on, and with 1,500 it took a quarter of two cores from the shop. What was answered, and how
fast, is in the gateway's own log; what somebody sees who opens a connection for each request is measured beside it.

Rounds alternate, since others use the machine too; medians count, and loads are compared within a round. wrk and the
shop share the processors, so what wrk takes is said, and what the shop would answer if it had that as well. Sixteen
clients on sixteen warm connections get more than any crowd: that is told apart from what shedding costs.
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
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from local import ports
from local.shop import Shop

from bench.wrk import WRK, computed, computed_by_children, require, wrk

SECONDS = int(os.environ.get("SECONDS_A_ROUND", "6"))
ROUNDS = int(os.environ.get("ROUNDS", "5"))
PATH = "/api/v1/products?limit=20"
LOADS = (0.8, 1, 2, 5)
CORES = os.cpu_count() or 1
AT_ONCE = int(os.environ.get("LIMIT_REQUESTS", "512"))
CONNECTIONS = AT_ONCE + 128


@dataclass
class Outcome:
    """Seconds that answers took, by status; the share of all processors that the client took."""

    seconds: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    client: float = 0.0

    @property
    def rest(self) -> float:
        """Answers a second, were the client on a machine of its own."""
        return self.rate(200) / (1 - self.client)

    def rate(self, status: int) -> float:
        """Answers a second."""
        return len(self.seconds[status]) / SECONDS

    def percentile(self, status: int, share: float) -> float:
        """Milliseconds; 0 where there was no such answer."""
        values = sorted(self.seconds[status]) or [0.0]
        return values[int(share * (len(values) - 1))] * 1000

    @property
    def offered(self) -> float:
        """Requests a second."""
        return sum(map(self.rate, list(self.seconds)))


# Of what the gateway logged, and of what one client saw.
FIGURES: dict[str, tuple[str, Callable[[Outcome, Outcome], float]]] = {
    "offered/s": ("{:.0f}", lambda logged, seen: logged.offered),
    "200/s": ("{:.0f}", lambda logged, seen: logged.rate(200)),
    "p50 of 200": ("{:.0f} ms", lambda logged, seen: logged.percentile(200, 0.5)),
    "p99 of 200": ("{:.0f} ms", lambda logged, seen: logged.percentile(200, 0.99)),
    "429/s": ("{:.0f}", lambda logged, seen: logged.rate(429)),
    "p99 of 429": ("{:.0f} ms", lambda logged, seen: logged.percentile(429, 0.99)),
    "p99 seen by a client": ("{:.0f} ms", lambda logged, seen: seen.percentile(429, 0.99)),
    "503/s": ("{:.0f}", lambda logged, seen: logged.rate(503)),
    "wrk's CPU": ("{:.0%}", lambda logged, seen: logged.client),
    "200/s without wrk": ("{:.0f}", lambda logged, seen: logged.rest),
}


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
    time.sleep(2)
    rounds: list[list[tuple[Outcome, Outcome]]] = []
    asked = {load: load * 1.2 for load in LOADS}  # wrk pauses by whole milliseconds, and so offers less
    for number in range(ROUNDS):
        rounds.append([(without_pause(log, url), Outcome())])
        for load in LOADS:
            print(f"\r\033[Kround {number + 1} of {ROUNDS}, {load} times the load", end="", file=sys.stderr, flush=True)
            carried = median(runs[0][0].rate(200) for runs in rounds)
            rounds[-1].append(offer(log, port, url, carried * asked[load], AT_ONCE if load > 1 else 0))
            asked[load] *= load * carried / rounds[-1][-1][0].offered
    print("\r\033[K", end="", file=sys.stderr)
    print(f"LIMIT_REQUESTS={AT_ONCE}, {ROUNDS} rounds of {SECONDS} s, medians; first 16 clients without a pause\n")
    report(rounds)


def report(rounds: list[list[tuple[Outcome, Outcome]]]) -> None:
    """The table, and what is left of the peak: of the loads that were offered, and of what 16 without a pause get."""
    print(f"| {' | '.join(FIGURES)} |\n{'|---' * len(FIGURES)}|")
    for runs in zip(*rounds, strict=True):
        line = [form.format(median(figure(*run) for run in runs)) for form, figure in FIGURES.values()]
        print(f"| {' | '.join(line)} |")
    offered = [runs[1:] for runs in rounds]
    load = of_peak(rounds, lambda it: it.offered, answered)
    kept = of_peak(offered, answered, answered)
    of_few = of_peak(rounds, answered, answered)
    rest = of_peak(rounds, lambda it: it.rest, lambda it: it.rest)
    print(f"\nat {load:.1f} times what 16 without a pause get: {kept:.0%} of the most at any load (goal 90 %),")
    print(f"{of_few:.0%} of what those 16 get, {rest:.0%} without wrk")


def answered(outcome: Outcome) -> float:
    """Answers a second that are one."""
    return outcome.rate(200)


Figure = Callable[[Outcome], float]


def of_peak(rounds: list[list[tuple[Outcome, Outcome]]], figure: Figure, peak: Figure) -> float:
    """What the last load has in a round as a share of what the best one has in the same round; the median of that."""
    by_load = [[peak(logged) for logged, _ in runs] for runs in zip(*rounds, strict=True)]
    best = max(by_load, key=median)
    return median(figure(runs[-1][0]) / most for runs, most in zip(rounds, best, strict=True))


def without_pause(log: Path, url: str) -> Outcome:
    """What the gateway's log says of 16 clients who ask again as soon as they are answered: what the shop carries."""
    begin, before = log.stat().st_size, computed_by_children()
    wrk(url, connections=16, seconds=SECONDS, script="fresh.lua")
    time.sleep(2)  # the log is written each second
    logged = read(log, begin, log.stat().st_size)
    logged.client = (computed_by_children() - before) / SECONDS / CORES
    return logged


def offer(log: Path, port: int, url: str, rate: float, waiting: int) -> tuple[Outcome, Outcome]:
    """What the gateway's log says of some seconds of this load, and what one more client saw."""
    # Those whose requests are under way do not ask.
    interval = (CONNECTIONS - waiting) / rate * 1000
    script = str(Path(__file__).with_name("offer.lua"))
    command = [*WRK, "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS + 4}s", "--timeout", "10s", "-s", script, url, "--"]
    offering = subprocess.Popen([*command, str(interval)], stdout=subprocess.DEVNULL)
    time.sleep(3)
    seen, over = Outcome(), threading.Event()
    looking = threading.Thread(target=look, args=(port, seen, over))
    looking.start()
    begin, before = log.stat().st_size, computed(offering.pid)
    time.sleep(SECONDS)
    end, after = log.stat().st_size, computed(offering.pid)
    over.set()
    looking.join()
    offering.wait(30)
    time.sleep(2)
    logged = read(log, begin, end)
    logged.client = (after - before) / SECONDS / CORES
    return logged, seen


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
