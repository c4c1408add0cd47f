"""What the gateway costs: `make bench-gateway`.

1. A cached product read, metrics and log on, against a static file of the same size from the same nginx without either.
2. The same against a bare probe: nginx with a cache, a log line and a script of two counters, and nothing else. It
   says what could be reached on this machine.
3. What counting it costs: the same read from a gateway without metrics.
4. What the gateway adds to a read that no cache has, against the same upstream asked directly.

Rounds alternate, so that whatever else this machine does hits all sides; medians count. All cores are busy all the
time, so requests a second are CPU time in other words. That is printed too (nginx's workers and wrk), since it hardly
changes when others use the machine meanwhile.
"""

import os
import sys
from statistics import median

from bench.setting import BODY, Side, setting
from bench.wrk import Run, computed, computed_by_children, require, wrk

ROUNDS = int(os.environ.get("ROUNDS", "15"))
SECONDS = int(os.environ.get("SECONDS_A_ROUND", "1"))
TITLES = {
    "static": "static file, no log, no metrics",
    "cached": "cached read, log and metrics",
    "unmetered": "cached read, log, no metrics",
    "probe": "bare probe: cache, log, two counters",
}

RATIOS = (
    ("cached to static (goal 70 %, floor 60 %)", "cached", "static"),
    ("bare probe to static", "probe", "static"),
    ("cached to bare probe", "cached", "probe"),
)


def main() -> None:
    """Measures and prints all four."""
    require()
    with setting() as it:
        wrk(it.cached.url, connections=64, threads=2, seconds=1)
        busy = {"static": it.static, "cached": it.cached, "unmetered": it.unmetered, "probe": it.probe}
        runs: dict[str, list[Run]] = {name: [] for name in (*busy, "direct", "through")}
        costs: dict[str, list[float]] = {name: [] for name in busy}
        for number in range(ROUNDS):
            print(f"\rround {number + 1} of {ROUNDS}", end="", file=sys.stderr, flush=True)
            for name, side in busy.items():
                before = cpu(side)
                runs[name].append(wrk(side.url, connections=64, threads=2, seconds=SECONDS))
                costs[name].append((cpu(side) - before) / (runs[name][-1].rate * SECONDS) * 1e6)
            runs["direct"].append(wrk(it.upstream, connections=1, seconds=SECONDS, script="distinct.lua"))
            runs["through"].append(wrk(it.cached.url, connections=1, seconds=SECONDS, script="distinct.lua"))
        print(file=sys.stderr)
    report(runs, costs)


def cpu(side: Side) -> float:
    """Seconds that these workers and all runs of wrk have computed so far."""
    return sum(map(computed, side.workers)) + computed_by_children()


def report(runs: dict[str, list[Run]], costs: dict[str, list[float]]) -> None:
    """Medians with their range, and the figures they are for."""
    print(f"body {len(BODY)} bytes, {ROUNDS} rounds of {SECONDS} s, {os.cpu_count()} cores")
    for name, what in TITLES.items():
        line(what, [run.rate for run in runs[name]], "{:,.0f}", "requests/s")
    for name, what in TITLES.items():
        line(f"CPU: {what}", costs[name], "{:.1f}", "µs a request, with wrk's")
    for what, name, by in RATIOS:
        rates = zip(runs[name], runs[by], strict=True)
        line(what, [a.rate / b.rate for a, b in rates], "{:.0%}")
        line(f"{what}, by CPU", [b / a for a, b in zip(costs[name], costs[by], strict=True)], "{:.0%}")
    counting = [a - b for a, b in zip(costs["cached"], costs["unmetered"], strict=True)]
    line("counting a request (at most 15 µs)", counting, "{:.1f}", "µs of CPU")
    for name, what in (("direct", "upstream asked directly, p50"), ("through", "through the gateway, uncached, p50")):
        line(what, [run.p50 * 1000 for run in runs[name]], "{:.3f}", "ms")
    added = [(a.p50 - b.p50) * 1000 for a, b in zip(runs["through"], runs["direct"], strict=True)]
    line("added (goal below 0.5 ms)", added, "{:.3f}", "ms")


def line(what: str, values: list[float], form: str, unit: str = "") -> None:
    """One figure: its median, and its range."""
    low, middle, high = (form.format(it) for it in (min(values), median(values), max(values)))
    print(f"{what:48} {middle:>9} {unit:24} ({low} to {high})")


if __name__ == "__main__":
    main()
