"""The measurements, and the rows of the table that are made of them. The goals are those of docs/performance.md."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from loadtest.bench import flash, journeys, reads, yardsticks
from loadtest.bench.crowd import Person, crowd
from loadtest.bench.sample import Sample
from loadtest.bench.stand import Stand

BUYERS = 16


def _crowd(people: int, person: Callable[[Stand], Person], operation: str, stand: Stand, seconds: float) -> Sample:
    return Sample.of(crowd(person(stand), port=stand.port, people=people, seconds=seconds), operation)


def _checkout(stand: Stand) -> Person:
    return journeys.checkout(stand.skus)


def _list(stand: Stand, seconds: float) -> Sample:
    return reads.read(stand.port, ["/api/v1/products?limit=20&max_price="], seconds, distinct=True)


def _detail(stand: Stand, seconds: float) -> Sample:
    return reads.read(stand.port, [f"/api/v1/products/{slug}?n=" for slug in stand.slugs], seconds, distinct=True)


def _cached(stand: Stand, seconds: float) -> Sample:
    return reads.read(stand.port, ["/api/v1/products?limit=20"], seconds, threads=2)


def _static(stand: Stand, seconds: float) -> Sample:
    return reads.read(stand.yardstick_port, ["/body.json"], seconds, threads=2)


def _bare(stand: Stand, seconds: float) -> Sample:
    return reads.read(stand.yardstick_port, ["/bare"], seconds)


def _statements(stand: Stand, seconds: float) -> Sample:
    return yardsticks.checkouts(stand.shop, seconds, BUYERS)


def _flash(stand: Stand, seconds: float) -> Sample:
    return flash.rush(stand.shop, units=50, buyers=200, carts=200)


def _sale(stand: Stand, seconds: float) -> Sample:
    units = max(100, round(seconds * 20))
    return flash.rush(stand.shop, units=units, buyers=200, carts=units + 400)


MEASUREMENTS: dict[str, Callable[[Stand, float], Sample]] = {
    "static": _static,
    "bare": _bare,
    "statements": _statements,
    "checkout": partial(_crowd, BUYERS, _checkout, "journey"),
    "alone": partial(_crowd, 1, _checkout, "journey"),
    "list": _list,
    "page": partial(_crowd, BUYERS, lambda stand: journeys.page_of_goods, "page"),
    "detail": _detail,
    "line": partial(_crowd, BUYERS, lambda stand: journeys.line(stand.skus), "line"),
    "cached": _cached,
    "flash": _flash,
    "sale": _sale,
}
"""By the names that ONLY takes; yardsticks first."""
YARDSTICKS = ("static", "bare", "statements")


@dataclass(frozen=True)
class Row:
    """A line of the table. The ratio is to the same figure of the yardstick, or to ``of`` it."""

    title: str
    measurement: str
    figure: str = "rate"
    unit: str = "/s"
    goal: float | None = None
    floor: float | None = None
    yardstick: str | None = None
    of: str | None = None

    @property
    def more_is_better(self) -> bool:
        """Whether the goal is a least and not a most."""
        return self.unit == "/s"


ROWS = (
    Row("yardstick: static file, same nginx, no log", "static"),
    Row("yardstick: bare Django view, same nginx and gunicorn", "bare", yardstick="static"),
    Row("yardstick: statements of a checkout, pgbench", "statements"),
    Row("checkouts", "checkout", "rate", "/s", 100, 60, "statements"),
    Row("place order p50", "checkout", "place order p50", "ms", 60, 120, "bare", "read p50"),
    Row("place order p95", "checkout", "place order p95", "ms", 130, 250, "bare", "read p95"),
    Row("whole journey p95", "checkout", "journey p95", "ms", 300, 600, "bare", "read p95"),
    Row("the longest journey", "checkout", "journey longest", "ms"),
    Row("place order, one buyer alone, p50", "alone", "place order p50", "ms"),
    Row("CPU of a checkout, all processes", "checkout", "cpu", "ms", 18, 30, "statements"),
    Row("list of 20 with prices, uncached", "list", "rate", "/s", 1000, 600, "bare"),
    Row("the same, then availability of the 20", "page", "rate", "/s", None, None, "bare"),
    Row("one product, uncached", "detail", "rate", "/s", 1000, 600, "bare"),
    Row("a line into a new cart", "line", "rate", "/s", 400, 200, "bare"),
    Row("cached read, log and metrics on", "cached", "rate", "/s", 22000, None, "static"),
    Row("50 units, 200 buyers at once: all answered", "flash", "all answered", "ms", 2000, None, "bare", "read p50"),
    Row("flash sale: orders until sold out", "sale", "rate", "/s", 100, None, "statements"),
    Row("the same: refused among 200 who ask again at once, p50", "sale", "refusal once sold out p50", "ms"),
    Row("the same: refused, alone, p50", "sale", "refusal alone p50", "ms", 20, None, "bare", "read p50"),
)
