"""Prometheus' own tools, and a PostgreSQL with the shop's roles."""

import os
import shutil
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from local import ports
from local.shop import Shop

from tests.watched import some_goods


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
    shop.up_databases()
    yield shop
    shop.forget()


@pytest.fixture(scope="session")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, datetime]]:
    """A TLS server with a certificate of its own making, and that one's end."""
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(days=9)
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, end - timedelta(days=90), end)
    pem = tmp_path_factory.mktemp("tls") / "both.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(secret + builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    context.wrap_socket(listening.accept()[0], server_side=True).close()
                except ssl.SSLError:
                    continue
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{listening.getsockname()[1]}", end
        listening.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory, promtool: str, certified: tuple[str, datetime]) -> Iterator[Shop]:
    """A whole shop and its Prometheus."""
    folder = tmp_path_factory.mktemp("shop")
    goods = some_goods(folder / "goods.csv")
    # The shop's user reads it, whoever that is.
    goods.chmod(0o644)
    folder.chmod(0o755)
    settings = {"SEED": str(goods), "CERTIFICATES": certified[0], "WORKERS": "2", "THREADS": "4"}
    shop = Shop(folder / "state", ports.free_offset(), settings)
    try:
        shop.up()
        yield shop
    finally:
        shop.forget()
