"""What only the database knows: lags, backlogs, stock that runs low. A worker's own exporter shows it.

A thread asks every few seconds, so that a scrape costs nothing, and a job that hangs hides nothing: the age of what it
leaves undone grows on.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from threading import Thread
from time import monotonic, sleep

import structlog
from django.db import connection
from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_log = structlog.get_logger("measures")
Values = dict[tuple[str, ...], float]


@dataclass(frozen=True)
class Measure:
    """A gauge. ``read`` returns its value for each tuple of label values, of which there are few."""

    name: str
    help: str
    read: Callable[[], Values]
    labels: Sequence[str] = ()
    every: float = 5.0
    """Seconds between two readings."""


class Measures(Collector):
    """The gauges as they were read last; one that cannot be read any more is gone, rather than wrong."""

    def __init__(self, measures: Sequence[Measure]) -> None:
        self._measures = measures
        self._read: dict[str, Values] = {}
        self._due = {measure.name: 0.0 for measure in measures}

    def start(self) -> None:
        """Begins to read, and shows what was read at every scrape of this process."""
        REGISTRY.register(self)
        Thread(target=self._go_on, name="measures", daemon=True).start()

    def describe(self) -> list[Metric]:
        """Nothing in advance."""
        return []

    def collect(self) -> Iterator[Metric]:
        """What was read last."""
        for measure in self._measures:
            if (values := self._read.get(measure.name)) is not None:
                family = GaugeMetricFamily(measure.name, measure.help, labels=measure.labels)
                for labels, value in values.items():
                    family.add_metric(labels, value)
                yield family

    def read_due(self) -> None:
        """Reads what is due."""
        for measure in self._measures:
            if monotonic() >= self._due[measure.name]:
                self._due[measure.name] = monotonic() + measure.every
                self._read_one(measure)

    def _read_one(self, measure: Measure) -> None:
        try:
            self._read[measure.name] = measure.read()
        except Exception:
            self._read.pop(measure.name, None)
            connection.close()
            _log.warning("measure_failed", measure=measure.name, exc_info=True)

    def _go_on(self) -> None:
        while True:
            self.read_due()
            sleep(1)


def query(statement: str) -> Callable[[], Values]:
    """Reads a statement's rows: label values first, the value last; no value at all is 0."""

    def read() -> Values:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return {tuple(map(str, row[:-1])): float(row[-1] or 0) for row in cursor.fetchall()}

    return read
