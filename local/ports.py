"""Which ports a shop listens on, and whether they are free."""

import errno
import os
import shutil
import socket
from collections.abc import Mapping

from local.problem import Problem

DEFAULTS = {
    "GATEWAY_PORT": 8080,
    "GATEWAY_TLS_PORT": 8443,
    "GATEWAY_METRICS_PORT": 9080,
    "PRODUCTS_1_PORT": 5001,
    "PRODUCTS_2_PORT": 5011,
    "STOCK_PORT": 5002,
    "CUSTOMERS_PORT": 5003,
    "CART_PORT": 5004,
    "ORDERS_PORT": 5005,
    "PAYMENT_PORT": 5006,
    "POSTGRES_PORT": 5442,
    "PROMETHEUS_PORT": 9090,
}
_PUBLIC = ("GATEWAY_PORT", "GATEWAY_TLS_PORT")
# The metrics of an instance are 1000 above it, those of a service's worker 10 further; the exporter's are PostgreSQL's.
METRICS_OF = {
    "PRODUCTS_1_METRICS_PORT": ("PRODUCTS_1_PORT", 1000),
    "PRODUCTS_2_METRICS_PORT": ("PRODUCTS_2_PORT", 1000),
    "STOCK_METRICS_PORT": ("STOCK_PORT", 1000),
    "STOCK_WORKER_METRICS_PORT": ("STOCK_PORT", 1010),
    "CUSTOMERS_METRICS_PORT": ("CUSTOMERS_PORT", 1000),
    "CUSTOMERS_WORKER_METRICS_PORT": ("CUSTOMERS_PORT", 1010),
    "CART_METRICS_PORT": ("CART_PORT", 1000),
    "ORDERS_METRICS_PORT": ("ORDERS_PORT", 1000),
    "ORDERS_WORKER_METRICS_PORT": ("ORDERS_PORT", 1010),
    "EXPORTER_METRICS_PORT": ("POSTGRES_PORT", 1000),
}


def resolve(settings: Mapping[str, str], offset: int = 0) -> dict[str, int]:
    """Every port by its variable's name. A variable that is set is taken as it is; ``offset`` moves the defaults.

    The ports of metrics follow those of their instances. Raises ``Problem`` where a port is not usable.
    """
    ports = {name: _number(name, settings.get(name) or str(port + offset)) for name, port in DEFAULTS.items()}
    ports |= {name: ports[source] + distance for name, (source, distance) in METRICS_OF.items()}
    names: dict[int, str] = {}
    for name, port in ports.items():
        if port in names:
            raise Problem(f"{names[port]} and {name} are both {port}: give one of them another port")
        names[port] = name
    return ports


def check_free(ports: Mapping[str, int], settings: Mapping[str, str] | None = None) -> None:
    """Raises ``Problem``, naming each port that something else listens on."""
    settings = settings or {}
    bind = settings.get("GATEWAY_BIND") or "127.0.0.1"
    taken = {
        name: port
        for name, port in ports.items()
        if _used(name, settings) and not _free(name, port, bind if name in _PUBLIC else "127.0.0.1")
    }
    if not taken:
        return
    listed = ", ".join(f"{port} ({name})" for name, port in [*taken.items()][:3])
    if len(taken) > 3:
        listed += f" and {len(taken) - 3} more"
    name, port = next(iter(taken.items()))
    name, distance = METRICS_OF.get(name, (name, 0))
    if len(taken) == 1:
        raise Problem(
            f"port {listed} is taken: stop what listens there, or choose another,"
            f" as in `make up {name}={port - distance + 100}`"
        )
    raise Problem(
        f"ports {listed} are taken: stop what listens there, or move all ports, as in `make up PORT_OFFSET=100`"
    )


def free_offset() -> int:
    """An offset at which all ports of a shop are free at the moment: for shops that tests bring up."""
    # All of them below 32768, where Linux begins to give ports to clients; not every caller starts at the same.
    candidates = list(range(2_000, 22_000, 100))
    begin = os.getpid() % len(candidates)
    for offset in candidates[begin:] + candidates[:begin]:
        try:
            check_free(resolve({}, offset))
        except Problem:
            continue
        return offset
    raise Problem("no free ports were found for a shop")


def _used(name: str, settings: Mapping[str, str]) -> bool:
    if name == "GATEWAY_TLS_PORT":
        return settings.get("GATEWAY_TLS") == "on" and not settings.get("GATEWAY_TLS_LISTEN")
    return name not in ("PROMETHEUS_PORT", "EXPORTER_METRICS_PORT") or shutil.which("prometheus") is not None


def _number(name: str, value: str) -> int:
    if not value.isdecimal() or not 0 < int(value) < 65536:
        raise Problem(f"{name} is {value!r}: give a port number from 1 to 65535")
    return int(value)


def _free(name: str, port: int, address: str) -> bool:
    with socket.socket() as probe:
        # As servers do: connections that an earlier server left behind are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise Problem(f"port {port} ({name}) may not be used at {address}: {error.strerror}") from None
    return True
