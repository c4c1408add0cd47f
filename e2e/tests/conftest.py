"""The shop, and the people in it."""

from collections.abc import Iterator
from random import randint

import pytest
from local.shop import Shop

from support.people import Person, Staff
from support.target import Target, found


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """The shop that is tested."""
    with found(tmp_path_factory.mktemp("shop")) as target:
        yield target


@pytest.fixture(scope="session")
def target_url(target: Target) -> str:
    """The gateway's address."""
    return target.url


@pytest.fixture
def shop(target: Target) -> Shop:
    """The shop as an object, where it is ours: only then can one look behind the gateway."""
    if target.local is None:
        pytest.skip("looks behind the gateway: needs a local shop, TARGET names another")
    return target.local


@pytest.fixture(scope="session")
def guest(target: Target) -> Person:
    """Somebody who is not signed in, at an address of their own: who guesses passwords keeps nobody else out."""
    return Person(target.url, address=f"127.{randint(1, 254)}.{randint(0, 255)}.{randint(1, 254)}")  # noqa: S311


@pytest.fixture
def customer(target: Target) -> Person:
    """Somebody who signed up for this test."""
    return Person.new_customer(target.url)


@pytest.fixture(scope="session")
def somebody_else(target: Target) -> Person:
    """Another customer, who must see nothing of the first one's."""
    return Person.new_customer(target.url)


@pytest.fixture(scope="session")
def staff(target: Target) -> Staff:
    """The shopkeeper."""
    return Staff(target.url, target.staff_email, target.staff_password)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that look back on all others come last."""
    items.sort(key=lambda item: item.get_closest_marker("closing") is not None)
