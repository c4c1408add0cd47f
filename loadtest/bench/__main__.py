"""`make bench`: python -m loadtest.bench [--quick] [--only NAME …] [--seconds 60] [--rounds 3]

Brings up a shop of its own with the real goods, measures it and its yardsticks in rounds, audits it, and leaves JSON,
a table and a plot in loadtest/results. Ends with 1 where an answer was not as expected or the auditor found something.
"""

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path

from tqdm import tqdm

from loadtest.bench import plot, reads, report
from loadtest.bench.measurements import MEASUREMENTS, ROWS, YARDSTICKS
from loadtest.bench.sample import Sample
from loadtest.bench.stand import Stand, check_uncached

RESULTS = Path(__file__).parents[1] / "results"
WARM_UP_SECONDS = 2.0


def main() -> int:
    """Runs the measurements; the exit status."""
    options = _options()
    names = [name for name in MEASUREMENTS if not options.only or name in options.only or name in YARDSTICKS]
    begin = time.monotonic()
    samples: dict[str, list[Sample]] = {name: [] for name in names}
    print("the shop comes up …", flush=True)
    with Stand(say=lambda line: print(f"  {line}", flush=True)) as stand:
        check_uncached(stand)
        memories = {"at rest": stand.memory()}
        _rounds(stand, samples, options.rounds, options.seconds)
        memories["after the load"] = stand.memory()
        offenders = stand.audit()
    told = {"seconds_a_run": options.seconds, "client": reads.client(), "machine": machine(), "audit": offenders}
    folder = _write(samples, memories, told)
    print(f"\n{(folder / 'bench.md').read_text()}\nin {time.monotonic() - begin:.0f} s, kept in {folder}")
    return 1 if offenders or report.errors(samples) else 0


def machine() -> str:
    """The machine in a line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    names = [line.split(":")[1] for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    model = " ".join(names[0].split()) if names else platform.machine()
    return (
        f"{os.cpu_count()} × {model}, {memory:.0f} GiB, Linux {platform.release()}, Python {platform.python_version()}"
    )


def _rounds(stand: Stand, samples: dict[str, list[Sample]], rounds: int, seconds: float) -> None:
    """Every measurement once in each round, so that whatever else the machine does hits all of them."""
    with tqdm(total=rounds * len(samples), unit="run", disable=None) as bar:
        for number in range(rounds):
            for name, found in samples.items():
                bar.set_description(f"round {number + 1}, {name}")
                run = MEASUREMENTS[name]
                if number == 0 and name not in ("flash", "sale"):
                    run(stand, min(WARM_UP_SECONDS, seconds))
                    stand.rest()
                found.append(stand.measure(run, seconds))
                bar.update()


def _write(samples: dict[str, list[Sample]], memories: dict[str, dict[str, int]], told: dict[str, object]) -> Path:
    folder = RESULTS / time.strftime("bench-%Y%m%d-%H%M%S")
    folder.mkdir(parents=True)
    (folder / "bench.json").write_text(json.dumps(report.document(samples, memories, **told), indent=1))
    (folder / "bench.svg").write_text(_plot(samples, str(told["machine"])))
    faults = [*report.errors(samples), *(f"audit: {line}" for line in list(told["audit"])[:20])]  # type: ignore[call-overload]
    rounds = max(map(len, samples.values()))
    head = f"{told['machine']}. {rounds} × {told['seconds_a_run']:g} s each; reads by {told['client']}."
    parts = [[head], report.table(samples), report.costs(samples), report.memory(memories)]
    parts.append(faults or ["No errors; the auditor found nothing."])
    (folder / "bench.md").write_text("\n\n".join("\n".join(part) for part in parts) + "\n")
    return folder


def _plot(samples: dict[str, list[Sample]], machine: str) -> str:
    """Each row against its goal: twice as good as the goal is the full width."""
    rows = []
    for row in ROWS:
        found = report.values(samples, row.measurement, row.figure)
        if row.goal is None or not found:
            continue
        shares = sorted(
            (value / row.goal if row.more_is_better else row.goal / max(value, 1e-9)) / 2 for value in found
        )
        middle = sorted(found)[len(found) // 2]
        text = f"{report.number(middle)}{row.unit if row.unit == '/s' else ' ' + row.unit}"
        rows.append(plot.Bar(row.title, text, shares[len(shares) // 2], (shares[0], shares[-1]), 0.5))
    return plot.bars("Against the goals (longer is better; the mark is the goal)", machine, rows)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="8 s, one round")
    parser.add_argument("--only", nargs="*", default=[], choices=MEASUREMENTS, help="these, and the yardsticks")
    parser.add_argument("--seconds", type=float, help="of each run; default 60")
    parser.add_argument("--rounds", type=int, help="default 3")
    options = parser.parse_args()
    options.seconds = options.seconds or (8.0 if options.quick else 60.0)
    options.rounds = options.rounds or (1 if options.quick else 3)
    return options


if __name__ == "__main__":
    sys.exit(main())
