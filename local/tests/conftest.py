"""A state folder, ports of its own, and a PostgreSQL that runs as it does in a shop."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import ports
from local.shop import Shop


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port on which something else listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


@pytest.fixture(scope="session")
def offset() -> int:
    """What this session's ports are moved by."""
    return ports.free_offset()


@pytest.fixture(scope="session")
def server(offset: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop of which only PostgreSQL runs, with all databases and roles."""
    shop = Shop(tmp_path_factory.mktemp("server") / "state", offset)
    shop.up_databases()
    yield shop
    shop.forget()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A folder for a shop's state that does not exist yet."""
    return tmp_path / "state"
