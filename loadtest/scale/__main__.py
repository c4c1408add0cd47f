"""`make bench-scale`: python -m loadtest.scale [--size 1000000]

Loads a shop of its own by COPY in steps, from the real 5,000 products up to SIZE products, a tenth as many carts and as
many orders, and times the same operations at each step, each in turn with a view that does nothing: how fast the
machine was meanwhile. Ends with 1 where one costs more than 1.3 times what it did, at the same speed of the machine.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from statistics import median

from tqdm import tqdm

from loadtest.bench import plot
from loadtest.bench.__main__ import RESULTS, machine
from loadtest.bench.stand import Stand
from loadtest.scale import goods, history
from loadtest.scale.copying import loading
from loadtest.scale.operations import Timed, Visitor, measured, operations
from loadtest.scale.plans import sequential

SMALL = 5_000
RECENT = 2_000
"""Orders of the last day, at every size: what its audit looks at."""
MOST = 1.3
WARM_UP = 5
"""Times that everything is done before it is timed: the first requests of a process are dearer."""
SOLD_EACH = history.LINES


def main() -> int:
    """Loads, measures, reports; the exit status."""
    parser = argparse.ArgumentParser(prog="make bench-scale", description=__doc__)
    parser.add_argument("--size", type=int, default=1_000_000, help="products and orders at the end; default 1,000,000")
    size = parser.parse_args().size
    sizes = [SMALL, round((SMALL * size) ** 0.5, -3), size] if size >= 8 * SMALL else [SMALL, max(size, SMALL + 1)]
    begin, folder = time.monotonic(), RESULTS / time.strftime("scale-%Y%m%d-%H%M%S")
    print(f"the shop comes up, then grows to {sizes[-1]:,} products: about {sizes[-1] // 1_200:,} s", flush=True)
    times: dict[int, dict[str, Timed]] = {}
    with Stand(say=lambda line: print(f"  {line}", flush=True)) as stand:
        visitor, last = Visitor.of(stand), 0
        for now in map(int, sizes):
            _grow(stand, visitor, last, now)
            last = now
            visitor.look_ahead()
            for _ in range(WARM_UP):
                _once_more(visitor)
            with tqdm(desc=f"measuring at {now:,}", disable=None) as bar:
                times[now] = measured(visitor, lambda name: (bar.set_postfix_str(name), bar.update()))
        grown = stand.column("postgres", "SELECT sum(pg_database_size(oid))::bigint FROM pg_database")[0]
        head = f"{machine()}; {time.monotonic() - begin:.0f} s, {grown / 2**30:.1f} GiB of databases"
        folder = _write(folder, times, [], _report(times, ["not looked at yet"], head))
        scans = sequential(stand, lambda: _once_more(visitor))
    text = _report(times, scans, head)
    print(f"\n{text}\nkept in {_write(folder, times, scans, text)}")
    return 1 if _dearer(times) else 0


def _once_more(visitor: Visitor) -> None:
    """Each operation but the audit, which is meant to read much."""
    visitor.come_again()
    for _, _, once in operations(visitor):
        if once != visitor.audit:
            once()


def _grow(stand: Stand, visitor: Visitor, last: int, now: int) -> None:
    """From ``last`` products and orders to ``now``; the first 5,000 products are the real ones."""
    begin, first = time.monotonic(), last == 0
    rows = (now - last) * (17 if first else 21) + (now - last) // 10 * 4
    with tqdm(total=rows, desc=f"to {now:,} products", unit="rows", unit_scale=True, disable=None) as bar:
        if first:
            skus = sorted(stand.column("products", "SELECT sku FROM products_variant"))[:now]
            with loading(stand.shop, "products") as cursor:
                cursor.execute("VACUUM ANALYZE")  # as after each of the next steps
            with loading(stand.shop, "stock") as cursor:
                cursor.execute("UPDATE stock_level SET on_hand = on_hand - %s WHERE sku = ANY(%s)", [SOLD_EACH, skus])
        else:
            skus = [goods.sku(number) for number in range(last, now)]
            goods.grow(stand.shop, last, now, SOLD_EACH, bar.update)
        chapter = history.Chapter(last, now, skus, RECENT if first else 0, visitor.customer)
        history.grow(stand.shop, chapter, bar.update)
        history.carts(stand.shop, last // 10, now // 10, skus, bar.update)
    print(f"  {now:,} products and orders, {now // 10:,} carts ({time.monotonic() - begin:.0f} s)", flush=True)


def ratios(times: dict[int, dict[str, Timed]]) -> dict[str, float]:
    """Each operation at the largest size over the same at the smallest, at the same speed of the machine."""
    small, large = times[min(times)], times[max(times)]
    return {name: large[name].over(small[name]) for name in small}


def _dearer(times: dict[int, dict[str, Timed]]) -> list[str]:
    return [name for name, ratio in ratios(times).items() if ratio > MOST]


def _report(times: dict[int, dict[str, Timed]], scans: list[str], head: str) -> str:
    sizes = sorted(times)
    columns = " | ".join(f"{size:,}" for size in sizes)
    lines = [head, "", f"| median, ms, with products | {columns} | ratio as timed | ratio at the same speed | |"]
    lines.append("|---" * (len(sizes) + 4) + "|")
    idle = [median(timed.nothing for timed in times[size].values()) for size in sizes]
    cells = " | ".join(f"{each:.2f}" for each in idle)
    lines.append(f"| the machine: a view that does nothing, meanwhile | {cells} | {idle[-1] / idle[0]:.2f} | | |")
    for name, ratio in ratios(times).items():
        cells = " | ".join(f"{times[size][name].operation:.2f}" for size in sizes)
        raw = times[sizes[-1]][name].operation / times[sizes[0]][name].operation
        more = "" if ratio <= MOST else f"MORE THAN {MOST}"
        lines.append(f"| {name} | {cells} | {raw:.2f} | {ratio:.2f} | {more} |")
    told = [f"- {scan}" for scan in scans] or ["none"]
    return "\n".join([*lines, "", "Plans with a sequential scan of a table beyond 20,000 rows:", "", *told])


def _write(folder: Path, times: dict[int, dict[str, Timed]], scans: list[str], text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    sizes = sorted(times)
    medians = {size: {name: timed._asdict() for name, timed in each.items()} for size, each in times.items()}
    found = {"times": medians, "ratios": ratios(times), "sequential_scans": scans}
    (folder / "scale.json").write_text(json.dumps(found, indent=1))
    (folder / "scale.md").write_text(text + "\n")
    small = times[sizes[0]]
    lines = {name: [times[size][name].over(small[name]) for size in sizes] for name in small}
    drawn = plot.curves(
        "Cost against size",
        f"median over that of {sizes[0]:,} products, at the same speed; 1.3 is the limit",
        sizes,
        lines,
    )
    (folder / "scale.svg").write_text(drawn)
    return folder


if __name__ == "__main__":
    sys.exit(main())
