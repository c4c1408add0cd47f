"""`make faults`: python -m loadtest.faults [--short] [--seed N] [--buyers 16] [--only WORD]

Brings up a shop of its own, lets buyers replay real baskets through the gateway, injects the faults in a seeded order,
heals, waits for rest, audits, and compares with what the buyers were told.
"""

import argparse
import random
import sys
import time
from dataclasses import dataclass

from loadtest import auditor
from loadtest.faults.baskets import baskets
from loadtest.faults.buyers import Buyers
from loadtest.faults.catalogue import FAULTS, Fault
from loadtest.faults.injections import NotInjected
from loadtest.faults.stage import Stage
from loadtest.faults.verdict import compare

ROW = "{:<30} {:<30} {:>9} {:>9} {:>8}  {}"


@dataclass
class Outcome:
    """A row of the table."""

    fault: Fault
    at: float
    in_flight: int
    healed_in: float | None
    wrong: list[str]

    def __str__(self) -> str:
        verdict = "; ".join(self.wrong[:2]) if self.wrong else "ok"
        healed = "–" if self.healed_in is None else f"{self.healed_in:.1f} s"
        return ROW.format(self.fault.name, self.fault.moment, f"{self.at:.0f} s", self.in_flight, healed, verdict)


def main() -> int:
    """Runs the schedule; the number of faults after which something was not true."""
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=int(time.time()), help="replays the same schedule")
    parser.add_argument("--buyers", type=int, default=16)
    parser.add_argument("--short", action="store_true", help="each kill point and a few others, under 5 minutes")
    parser.add_argument("--every", type=int, default=0, help="heal, rest and audit after so many faults")
    parser.add_argument("--only", default="", help="faults whose name or moment holds this word")
    options = parser.parse_args()
    faults = [f for f in FAULTS if (f.short or not options.short) and options.only in f"{f.name} {f.moment}"]
    random.Random(options.seed).shuffle(faults)  # noqa: S311
    print(f"{len(faults)} faults, seed {options.seed}, {options.buyers} buyers; the shop comes up …", flush=True)
    try:
        every = options.every or (3 if options.short else 1)
        outcomes = run(faults, seed=options.seed, buyers=options.buyers, every=every)
    except KeyboardInterrupt:
        print("\nstopped; the shop is gone", file=sys.stderr)
        return 130
    failed = [outcome for outcome in outcomes if outcome.wrong]
    for outcome in failed:
        print(f"\n{outcome.fault.name}, {outcome.fault.moment}:", *outcome.wrong[:20], sep="\n  ")
    print(f"\n{len(outcomes) - len(failed)} passed, {len(failed)} failed (seed {options.seed})")
    return min(len(failed), 100)


def run(faults: list[Fault], *, seed: int, buyers: int, every: int = 1) -> list[Outcome]:
    """Every fault in turn, on one shop; prints a line each as it goes, then what the audit of all of it says.

    After ``every`` faults the shop is left to come to rest and audited.
    """
    chance, outcomes = random.Random(seed), []  # noqa: S311
    with Stage(seed) as stage:
        begin = time.monotonic()
        with Buyers(stage.shop.url, buyers, baskets(most_lines=8), seed) as crowd:
            print(ROW.format("fault", "moment", "at", "in flight", "healed", "verdict"), flush=True)
            for number, fault in enumerate(faults, 1):
                at_rest = number % every == 0 or number == len(faults)
                outcomes.append(_play(stage, crowd, fault, chance, begin, at_rest=at_rest))
                print(f"[{number}/{len(faults)}] {outcomes[-1]}", flush=True)
            crowd.finish()
            rest = stage.wait_for_rest()
            last = Outcome(Fault("the whole run", "after all of it", lambda stage, chance: None), 0, 0, rest, [])
            last.at, last.wrong = time.monotonic() - begin, audit(stage) + compare(stage, crowd.told)
            outcomes.append(last)
            print(last, flush=True)
            _summary(crowd)
    return outcomes


def _play(stage: Stage, crowd: Buyers, fault: Fault, chance: random.Random, begin: float, *, at_rest: bool) -> Outcome:
    crowd.go_on()
    time.sleep(1.0)
    at, in_flight = time.monotonic() - begin, stage.under_way()
    wrong = []
    try:
        fault.play(stage, chance)
    except NotInjected as reason:
        wrong.append(f"not injected: {reason}")
    finally:
        stage.disarm()
    if not at_rest:
        return Outcome(fault, at, in_flight, None, wrong)
    crowd.pause()
    healed = stage.wait_for_rest()
    if healed == float("inf"):
        wrong.append(f"{stage.under_way()} orders are not at rest after a minute")
    return Outcome(fault, at, in_flight, healed, wrong + audit(stage))


def audit(stage: Stage) -> list[str]:
    """The auditor's findings, a line each."""
    urls = auditor.of_secrets(stage.shop.state.secrets)
    return [str(finding) for finding in auditor.audit(urls, settle_seconds=0, recheck_seconds=0.5)]


def _summary(crowd: Buyers) -> None:
    by_status: dict[int, int] = {}
    for told in crowd.told:
        by_status[told.status] = by_status.get(told.status, 0) + 1
    again = sum(len(told.statuses) > 1 for told in crowd.told)
    print(
        f"{len(crowd.told)} checkouts, answers {dict(sorted(by_status.items()))}, {again} of them asked more than once"
    )


if __name__ == "__main__":
    sys.exit(main())
