"""Real goods and real baskets: data/catalogue.csv, data/baskets.csv.gz."""

import csv
import gzip
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "data"


def prices() -> dict[str, int]:
    """What each SKU of the catalogue costs, in minor units."""
    with (DATA / "catalogue.csv").open(newline="") as file:
        return {row["id"]: round(float(row["price"].removesuffix(" USD")) * 100) for row in csv.DictReader(file)}


def baskets(count: int) -> list[dict[str, int]]:
    """The first baskets: quantities by SKU."""
    found: dict[str, dict[str, int]] = {}
    with gzip.open(DATA / "baskets.csv.gz", "rt", newline="") as file:
        for row in csv.DictReader(file):
            if row["basket"] not in found and len(found) == count:
                break
            lines = found.setdefault(row["basket"], {})
            lines[row["id"]] = lines.get(row["id"], 0) + int(row["quantity"])
    return list(found.values())
