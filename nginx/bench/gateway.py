"""What the gateway costs: `make bench-gateway`.

1. A cached product read, metrics and log on, against a static file of the same size from the same nginx without either.
2. What counting it costs: the same read from a gateway without metrics.
3. What the gateway adds to a read that no cache has, against the same upstream asked directly.

Rounds alternate, so that whatever else this machine does hits both sides; medians count.
"""

import os
import sys
from statistics import median

from bench.setting import BODY, setting
from bench.wrk import Run, require, wrk

ROUNDS = int(os.environ.get("ROUNDS", "15"))
SECONDS = int(os.environ.get("SECONDS_A_ROUND", "1"))


def main() -> None:
    """Measures and prints all three."""
    require()
    with setting() as it:
        wrk(it.cached, connections=64, threads=2, seconds=1)
        runs: dict[str, list[Run]] = {name: [] for name in ("static", "cached", "unmetered", "direct", "through")}
        for number in range(ROUNDS):
            print(f"\rround {number + 1} of {ROUNDS}", end="", file=sys.stderr, flush=True)
            runs["static"].append(wrk(it.static, connections=64, threads=2, seconds=SECONDS))
            runs["cached"].append(wrk(it.cached, connections=64, threads=2, seconds=SECONDS))
            runs["unmetered"].append(wrk(it.unmetered, connections=64, threads=2, seconds=SECONDS))
            runs["direct"].append(wrk(it.upstream, connections=1, seconds=SECONDS, script="distinct.lua"))
            runs["through"].append(wrk(it.cached, connections=1, seconds=SECONDS, script="distinct.lua"))
        print(file=sys.stderr)
    report(runs)


def report(runs: dict[str, list[Run]]) -> None:
    """Medians with their range, and the two figures they are for."""
    print(f"body {len(BODY)} bytes, {ROUNDS} rounds of {SECONDS} s, {os.cpu_count()} cores")
    titles = {
        "static": "static file, no log, no metrics",
        "cached": "cached read, log and metrics",
        "unmetered": "cached read, log, no metrics",
    }
    for name, what in titles.items():
        rates = sorted(run.rate for run in runs[name])
        print(f"{what:36} {median(rates):9,.0f} requests/s   ({rates[0]:,.0f} to {rates[-1]:,.0f})")
    ratios = sorted(cached.rate / static.rate for cached, static in zip(runs["cached"], runs["static"], strict=True))
    print(
        f"{'ratio (goal 70 %, floor 60 %)':36} {median(ratios):9.0%}              ({ratios[0]:.0%} to {ratios[-1]:.0%})"
    )
    # All cores are busy all the time: the difference of the times between two answers is time of theirs.
    pairs = zip(runs["cached"], runs["unmetered"], strict=True)
    counting = sorted((1 / cached.rate - 1 / bare.rate) * 1e6 * (os.cpu_count() or 1) for cached, bare in pairs)
    what = "counting a request (below 15 µs)"
    print(f"{what:36} {median(counting):9.1f} µs           ({counting[0]:.1f} to {counting[-1]:.1f})")
    for name, what in (("direct", "upstream asked directly, p50"), ("through", "through the gateway, uncached, p50")):
        times = sorted(run.p50 * 1000 for run in runs[name])
        print(f"{what:36} {median(times):9.3f} ms           ({times[0]:.3f} to {times[-1]:.3f})")
    pairs = zip(runs["through"], runs["direct"], strict=True)
    added = median(through.p50 - direct.p50 for through, direct in pairs) * 1000
    print(f"{'added (goal below 0.5 ms)':36} {added:9.3f} ms")


if __name__ == "__main__":
    main()
