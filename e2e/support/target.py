"""The shop that is tested: one of our own, or one that runs already."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local import ports, status
from local.shop import Shop

STAFF_EMAIL = "staff@example.com"
STAFF_PASSWORD = "goods-and-orders-of-the-tests"  # noqa: S105


@dataclass(frozen=True)
class Target:
    """Where it is and who works there. ``local`` is None for a shop that others started."""

    url: str
    staff_email: str
    staff_password: str
    local: Shop | None = None
    memory_at_start: float = 0.0
    """MiB (proportional set size) of all processes, right after the start."""


@contextmanager
def found(folder: Path) -> Iterator[Target]:
    """TARGET with STAFF_EMAIL and STAFF_PASSWORD, else a new shop with goods, its state in ``folder``."""
    # TARGET: the address of a gateway; STAFF_EMAIL, STAFF_PASSWORD: that shop's staff account.
    if url := os.environ.get("TARGET"):
        if "STAFF_PASSWORD" not in os.environ:
            raise SystemExit("TARGET is set: set STAFF_PASSWORD too, and STAFF_EMAIL unless it is " + STAFF_EMAIL)
        yield Target(url.rstrip("/"), os.environ.get("STAFF_EMAIL", STAFF_EMAIL), os.environ["STAFF_PASSWORD"])
        return
    settings = {"STAFF_EMAIL": STAFF_EMAIL, "STAFF_PASSWORD": STAFF_PASSWORD}
    shop = Shop(folder / "state", ports.free_offset(), settings)
    try:
        shop.up(say=lambda line: print("  " + line, flush=True))
        yield Target(shop.url, STAFF_EMAIL, STAFF_PASSWORD, shop, memory(shop))
    finally:
        shop.forget()


def memory(shop: Shop) -> float:
    """MiB that `make status` prints as the total, without what watches the shop."""
    table = "\n".join(status.table(shop))
    sizes = {name: float(size) for name, size in re.findall(r"^(\S+) .*?([0-9.]+) MiB$", table, re.M)}
    assert "total" in sizes, table
    return sizes["total"] - sizes.get("prometheus", 0) - sizes.get("exporter", 0)
