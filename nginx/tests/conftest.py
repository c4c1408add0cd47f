"""One gateway and six small services for most tests; those that need others start their own."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.processes import SERVICES, Gateway, Upstream

Start = Callable[..., Gateway]


def addresses_of(services: dict[str, Upstream]) -> dict[str, str]:
    """The gateway's variables for these services."""
    return {f"{name.upper().replace('-', '_')}_ADDRESS": f"127.0.0.1:{it.port}" for name, it in services.items()}


@pytest.fixture(scope="session")
def running_services() -> Iterator[dict[str, Upstream]]:
    """The six instances, by name."""
    services = {name: Upstream(name) for name in SERVICES}
    yield services
    for service in services.values():
        service.end()


@pytest.fixture
def services(running_services: dict[str, Upstream]) -> Iterator[dict[str, Upstream]]:
    """The six instances; a test may change how they answer."""
    yield running_services
    for service in running_services.values():
        service.reset()


@pytest.fixture(scope="session")
def gateway(running_services: dict[str, Upstream], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway with default settings."""
    folder = tmp_path_factory.mktemp("gateway")
    running = Gateway(folder, addresses_of(running_services)).start()
    yield running
    running.stop()


@pytest.fixture
def start(services: dict[str, Upstream], tmp_path: Path) -> Iterator[Start]:
    """Starts a gateway with other variables: ``start(LIMIT_RATE="1r/s")``."""
    started: list[Gateway] = []

    def begin(**variables: str) -> Gateway:
        folder = tmp_path / f"gateway-{len(started)}"
        started.append(Gateway(folder, addresses_of(services), **variables))
        return started[-1].start()

    yield begin
    for one in started:
        one.stop()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A self-signed certificate for localhost and its key: two paths."""
    folder = tmp_path_factory.mktemp("tls")
    paths = str(folder / "certificate.pem"), str(folder / "key.pem")
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "1",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-out",
            paths[0],
            "-keyout",
            paths[1],
        ],
        check=True,
        capture_output=True,
    )
    return paths
