"""One shop in containers for all tests that need an engine."""

import time
from collections.abc import Callable, Iterator

import pytest

from tests.engine import Containers


@pytest.fixture(scope="session")
def shop() -> Iterator[Containers]:
    """A shop that was built, started and filled with goods; it goes with its volumes."""
    containers = Containers()
    containers.down()
    if not containers.grafana:
        print("grafana is left out: its image is neither here nor to be had")
    try:
        _timed("images built", containers.build)
        _timed("shop started", containers.up)
        yield containers
    finally:
        containers.down()


def _timed(what: str, step: Callable[[], None]) -> None:
    begin = time.monotonic()
    step()
    print(f"{what} in {time.monotonic() - begin:.0f} s", flush=True)
