"""A shop with some of the real goods, watched by the Prometheus of this machine."""

import csv
import urllib.parse
from pathlib import Path
from typing import Any

from local.shop import Shop
from local.venv import ROOT

from tests.load import ask


def some_goods(path: Path) -> Path:
    """The first hundred of the catalogue, as a feed."""
    with (ROOT / "data" / "catalogue.csv").open(newline="") as source, path.open("w", newline="") as target:
        rows = csv.reader(source)
        csv.writer(target).writerows(row for _, row in zip(range(101), rows, strict=False))
    return path


def prometheus(shop: Shop, path: str, **words: str) -> Any:
    """What Prometheus' API answers: https://prometheus.io/docs/prometheus/latest/querying/api/"""
    url = f"http://127.0.0.1:{shop.ports['PROMETHEUS_PORT']}/api/v1/{path}?{urllib.parse.urlencode(words)}"
    status, body = ask(url)
    assert status == 200, (words, body)
    return body["data"]
