"""One shop for everything here that needs one."""

from collections.abc import Iterator

import pytest

from loadtest.bench.stand import Stand


@pytest.fixture(scope="package")
def stand() -> Iterator[Stand]:
    """A shop with the real goods, and the yardsticks beside it."""
    with Stand() as stand:
        yield stand
