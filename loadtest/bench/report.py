"""From samples to a table that a person reads: medians, their range, ratios, CPU, memory."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

from loadtest.bench.measurements import ROWS, Row
from loadtest.bench.sample import Sample

Samples = Mapping[str, Sequence[Sample]]
MIB = 1024 * 1024


def values(samples: Samples, measurement: str, figure: str) -> list[float]:
    """A figure in each round, empty where it was not measured."""
    return [sample.figure(figure) for sample in samples.get(measurement, ())]


def ratio(row: Row, samples: Samples) -> float | None:
    """The median over the yardstick's median, None without a yardstick."""
    if row.yardstick is None:
        return None
    mine, theirs = values(samples, row.measurement, row.figure), values(samples, row.yardstick, row.of or row.figure)
    return median(mine) / median(theirs) if mine and theirs and median(theirs) else None


def verdict(row: Row, found: float) -> str:
    """goal, floor, below floor; nothing where there is no goal."""
    if row.goal is None:
        return ""
    sign = 1 if row.more_is_better else -1
    if sign * found >= sign * row.goal:
        return "goal met"
    if row.floor is None:
        return "MISSED"
    return "floor met" if sign * found >= sign * row.floor else "BELOW FLOOR"


def table(samples: Samples) -> list[str]:
    """Markdown: every row that was measured."""
    lines = ["| | median | from | to | ratio to | goal, floor | |", "|---|---|---|---|---|---|---|"]
    for row in ROWS:
        found = values(samples, row.measurement, row.figure)
        if not found:
            continue
        part = ratio(row, samples)
        against = "" if part is None else f"{part:.3g} × {row.yardstick}"
        goals = ", ".join(number(goal) for goal in (row.goal, row.floor) if goal is not None)
        unit = row.unit if row.unit == "/s" else f" {row.unit}"
        middle = f"**{number(median(found))}**{unit}"
        span = f"{number(min(found))} | {number(max(found))}"
        lines.append(f"| {row.title} | {middle} | {span} | {against} | {goals} | {verdict(row, median(found))} |")
    return lines


def costs(samples: Samples) -> list[str]:
    """Markdown: CPU and transactions per operation, medians of the rounds."""
    groups = _groups(samples)
    lines = [f"| CPU per operation, ms | all | {' | '.join(groups)} | client | transactions |"]
    lines.append("|---" * (len(groups) + 4) + "|")
    for name, runs in samples.items():
        parts = [median(run.cpu.get(group, 0.0) for run in runs) for group in groups]
        cells = [number(part) if part >= 0.005 else "" for part in parts]
        all_of_it, client = median(run.figure("cpu") for run in runs), median(run.client_cpu for run in runs)
        done = _transactions(runs)
        lines.append(f"| {name} | {number(all_of_it)} | {' | '.join(cells)} | {number(client)} | {done} |")
    return lines


def memory(found: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Markdown: proportional memory of each process, at rest and under load."""
    moments = list(found)
    names = list(dict.fromkeys(name for sizes in found.values() for name in sizes))
    lines = [f"| memory, MiB (PSS) | {' | '.join(moments)} |", "|---" * (len(moments) + 1) + "|"]
    for name in names:
        lines.append(f"| {name} | {' | '.join(f'{found[each].get(name, 0) / MIB:.0f}' for each in moments)} |")
    totals = " | ".join(f"**{sum(found[moment].values()) / MIB:.0f}**" for moment in moments)
    return [*lines, f"| **all** | {totals} |"]


def errors(samples: Samples) -> list[str]:
    """A line for each kind of error, none where there was none."""
    lines = []
    for name, runs in samples.items():
        for kind, count in sum((run.errors for run in runs), Counter[str]()).items():
            lines.append(f"{name}: {count} × {kind}")
    return lines


def document(samples: Samples, memories: Mapping[str, Mapping[str, int]], **more: Any) -> dict[str, Any]:
    """Everything, for programs."""
    rows = [
        asdict(row) | {"median": median(found), "rounds": found, "ratio": ratio(row, samples)}
        for row in ROWS
        if (found := values(samples, row.measurement, row.figure))
    ]
    runs = {name: [vars(run) | {"rate": run.rate} for run in each] for name, each in samples.items()}
    return {**more, "rows": rows, "samples": runs, "memory": memories, "errors": errors(samples)}


def number(value: float) -> str:
    """Three digits that count."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _groups(samples: Samples) -> list[str]:
    spent: Counter[str] = Counter()
    for runs in samples.values():
        for run in runs:
            spent.update(run.cpu)
    return [group for group, _ in spent.most_common()]


def _transactions(runs: Sequence[Sample]) -> str:
    found = {name: median(run.transactions.get(name, 0.0) for run in runs) for name in runs[0].transactions}
    return ", ".join(f"{name} {count:.1f}" for name, count in sorted(found.items()) if count >= 0.05)
