"""Prometheus' own tools, and a PostgreSQL with the shop's roles."""

import os
import shutil
from collections.abc import Iterator

import pytest
from local import ports, postgres, secrets
from local.shop import Shop


@pytest.fixture(scope="session")
def promtool() -> str:
    """Prometheus' own checker; without it a test is skipped, except in CI."""
    if (program := shutil.which("promtool")) is None:
        assert "CI" not in os.environ, "promtool is missing: apt-get install prometheus"
        pytest.skip("promtool is not installed: apt-get install prometheus")
    return program


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop of which only PostgreSQL runs, with all databases and roles."""
    shop = Shop(tmp_path_factory.mktemp("server") / "state", ports.free_offset(), {"MONITORING": "off"})
    shop.state.create(shop.user)
    secrets.generate(shop.state.secrets, f"127.0.0.1:{shop.ports['POSTGRES_PORT']}", shop.user)
    shop.write(shop.configuration())
    postgres.create(shop.state, shop.user)
    shop.supervisor.start(shop.user)
    shop.start("postgres")
    postgres.provision(shop.state, shop.ports["POSTGRES_PORT"])
    yield shop
    shop.forget()
