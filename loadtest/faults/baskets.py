"""Real shopping baskets: data/baskets.csv.gz, in the order in which they were bought."""

import csv
import gzip
from collections.abc import Iterator
from itertools import cycle, groupby
from pathlib import Path

FILE = Path(__file__).parents[2] / "data" / "baskets.csv.gz"
Basket = dict[str, int]


def baskets(*, most_lines: int = 1000) -> Iterator[Basket]:
    """Quantities by SKU, basket after basket, from the first again after the last."""
    with gzip.open(FILE, "rt", encoding="utf-8", newline="") as rows:
        found = []
        for _, lines in groupby(csv.DictReader(rows), key=lambda row: row["basket"]):
            basket = {line["id"]: min(999, max(1, int(line["quantity"]))) for line in lines}
            found.append(dict(list(basket.items())[:most_lines]))
    return cycle(found)
