"""Whether each web instance would serve: /readyz as a load balancer would ask it, from outside of the process."""

import urllib.request
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_SECONDS = 2.0


class Readiness(Collector):
    """Asks every instance at a scrape, all at once."""

    def __init__(self, instances: Mapping[str, str]) -> None:
        self._instances = instances

    def describe(self) -> list[Metric]:
        """Nothing in advance."""
        return []

    def collect(self) -> Iterator[Metric]:
        """1 for an instance that says it is ready within two seconds, else 0."""
        family = GaugeMetricFamily("instance_ready", "Whether a web instance is ready to serve.", labels=["target"])
        if self._instances:
            with ThreadPoolExecutor(len(self._instances)) as pool:
                for name, ready in zip(self._instances, pool.map(_ready, self._instances.values()), strict=True):
                    family.add_metric([name], ready)
        yield family


def _ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/readyz", timeout=_SECONDS) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
