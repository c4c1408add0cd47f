"""PostgreSQL's metrics under the names of postgres_exporter, so that dashboards and alerts made for that one fit.

https://github.com/prometheus-community/postgres_exporter comes from no package registry; where it can be had, it may
take its place. Its counters have no suffix `_total`, so they are exposed without a type here.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from time import perf_counter

import psycopg2
from prometheus_client.core import GaugeMetricFamily, Metric, UnknownMetricFamily
from prometheus_client.registry import Collector

from exporter.queries import QUERIES, Query


class Servers(Collector):
    """All servers, each with a label ``server``. Asked at a scrape, all at once: one that hangs delays no other."""

    def __init__(self, urls: Mapping[str, str], password: str) -> None:
        self._servers = [Server(name, url, password) for name, url in urls.items()]

    def describe(self) -> list[Metric]:
        """Nothing in advance."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Whether each server answers, and what it says."""
        up = GaugeMetricFamily("pg_up", "Whether the server answers.", labels=["server"])
        took = GaugeMetricFamily("pg_exporter_last_scrape_duration_seconds", "Time to ask it.", labels=["server"])
        families: dict[str, Metric] = {}
        for query in QUERIES:
            for column, kind in query.values.items():
                make = GaugeMetricFamily if kind == "gauge" else UnknownMetricFamily
                name = f"{query.name}_{column}" if column else query.name
                families[name] = make(name, query.help, labels=["server", *query.labels])
        if self._servers:
            with ThreadPoolExecutor(len(self._servers)) as pool:
                for server, (answers, seconds) in zip(self._servers, pool.map(Server.ask, self._servers), strict=True):
                    up.add_metric([server.name], answers is not None)
                    took.add_metric([server.name], seconds)
                    for query, rows in (answers or {}).items():
                        _add(families, query, server.name, rows)
        yield from (up, took, *families.values())


Row = tuple[object, ...]


class Server:
    """One server, over one connection that is kept."""

    def __init__(self, name: str, url: str, password: str) -> None:
        self.name, self._url, self._password = name, url, password
        self._connection: psycopg2.extensions.connection | None = None
        self._lock = Lock()

    def ask(self) -> tuple[dict[Query, list[Row]] | None, float]:
        """The rows of each query, or None where the server does not answer; and the seconds that it took."""
        began = perf_counter()
        with self._lock:
            try:
                answers = self._run()
            except psycopg2.Error:
                self._close()
                try:
                    answers = self._run()  # the connection was an old one: the server may have been away meanwhile
                except psycopg2.Error:
                    self._close()
                    answers = None
        return answers, perf_counter() - began

    def _run(self) -> dict[Query, list[Row]]:
        if self._connection is None:
            self._connection = psycopg2.connect(
                self._url,
                password=self._password,
                connect_timeout=2,
                application_name="exporter",
                options="-c statement_timeout=2000 -c default_transaction_read_only=on",
            )
            self._connection.autocommit = True
        answers = {}
        with self._connection.cursor() as cursor:
            for query in QUERIES:
                cursor.execute(query.statement)
                answers[query] = cursor.fetchall()
        return answers

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


def _add(families: Mapping[str, Metric], query: Query, server: str, rows: list[Row]) -> None:
    """Rows have the labels first, then the values in their order."""
    for row in rows:
        labels = [server, *map(str, row[: len(query.labels)])]
        for column, value in zip(query.values, row[len(query.labels) :], strict=True):
            family = families[f"{query.name}_{column}" if column else query.name]
            family.add_metric(labels, float(value or 0))  # type: ignore[attr-defined, arg-type]
