"""The gateway over TLS: docker-compose.yml with docker/tls.yml above it, as files. With an engine: test_shop.py."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def gateway() -> dict[str, Any]:
    """The gateway as Compose reads it out of both files: mappings are joined, lists are put together."""
    first, second = (
        yaml.safe_load((ROOT / name).read_text())["services"]["gateway"]
        for name in ("docker-compose.yml", "docker/tls.yml")
    )
    lists = {name: [*first[name], *second[name]] for name in ("volumes", "ports")}
    return {**first, **lists, "environment": first["environment"] | second["environment"]}


def test_the_port_of_tls_is_published_beside_the_other_at_the_same_address(gateway: dict[str, Any]) -> None:
    assert gateway["ports"] == [
        "${GATEWAY_BIND:-0.0.0.0}:${GATEWAY_PORT:-8080}:8080",
        "${GATEWAY_BIND:-0.0.0.0}:${GATEWAY_TLS_PORT:-8443}:8443",
    ]
    assert gateway["environment"]["GATEWAY_TLS_LISTEN"] == "8443"


def test_certificate_and_key_are_mounted_read_only_where_the_gateway_looks_for_them(gateway: dict[str, Any]) -> None:
    for name in ("TLS_CERTIFICATE", "TLS_CERTIFICATE_KEY"):
        (mount,) = (each for each in gateway["volumes"] if f"${{{name}:?" in str(each))
        assert (mount["type"], mount["read_only"]) == ("bind", True)
        assert mount["target"] == gateway["environment"][name]


def test_the_gateway_renders_a_listener_with_them(gateway: dict[str, Any], tmp_path: Path) -> None:
    given = {name: str(value) for name, value in gateway["environment"].items() if "TLS" in name}
    command = [sys.executable, str(ROOT / "nginx" / "render.py"), str(tmp_path)]
    subprocess.run(command, env={"PATH": os.environ["PATH"]} | given, check=True)
    assert "include conf.d/tls-on.conf;" in (tmp_path / "conf.d" / "listen.conf").read_text()
    listener = (tmp_path / "conf.d" / "tls-on.conf").read_text()
    for line in (
        "listen 8443 ssl default_server",
        'ssl_certificate "/run/tls/certificate.pem";',
        'ssl_certificate_key "/run/tls/key.pem";',
    ):
        assert line in listener
