"""The environment of each process: all that a service is told, and the only place where local mode tells it."""

import os
from collections.abc import Mapping
from pathlib import Path

from local import processes
from local.state import State
from local.venv import FOLDER

MARK = "COMPTOIR_SHOP"
"""Every process of a shop carries its state folder in this variable, so that `down` finds it, whatever happened."""

PASSED_ON = (
    "DJANGO_ENV",
    "LOG_LEVEL",
    "WORKERS",
    "THREADS",
    "CURRENCY",
    "PUBLIC_URL",
    "ALLOWED_HOSTS",
    "SECURE_COOKIES",
    "EMAIL_URL",
    "EMAIL_FROM",
    "VERIFY_EMAIL_URL",
    "PASSWORD_RESET_URL",
    "VERBOSE",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
)
"""Settings of the services that `make up` takes from its own environment; each is explained where it is read."""


def base(state: State) -> dict[str, str]:
    """What every process starts from: nothing of the terminal that `make up` was typed in."""
    return {
        MARK: str(state.folder),
        "PATH": f"{FOLDER}/bin:{os.environ.get('PATH', os.defpath)}",
        "HOME": str(state.folder),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        # glibc keeps a heap a thread; two are enough for threads that wait most of the time, and cost less memory.
        "MALLOC_ARENA_MAX": "2",
        # Large blocks go back to the system at once, as those of argon2 (19 MiB a password) in customers.
        "MALLOC_MMAP_THRESHOLD_": "1048576",
    }


def of_command(service: str, state: State, ports: Mapping[str, int], settings: Mapping[str, str]) -> dict[str, str]:
    """What a service's code is told, whichever process runs it: a command, a worker or a web process."""
    passed = {name: settings[name] for name in PASSED_ON if name in settings}
    own = state.secrets / service
    return {
        **base(state),
        "PUBLIC_URL": f"http://localhost:{ports['GATEWAY_PORT']}",
        "EMAIL_URL": f"filemail:///{state.mail}",
        **passed,
        **_addresses(ports),
        "INSTANCE": service,
        "MEDIA_ROOT": str(state.media),
        "SECRET_KEY_FILE": str(own / "secret_key"),
        "SERVICE_KEY_FILE": str(own / "service_key.pem"),
        "SERVICE_JWKS_FILE": str(state.secrets / "service_jwks.json"),
        "DATABASE_URL_FILE": str(own / "url"),
        **(
            {"OIDC_CLIENTS_FILE": str(own / "oidc_clients.json")}
            if service == "customers"
            else {"OIDC_CLIENT_SECRET_FILE": str(own / "oidc_client_secret")}
        ),
        **({"PAYMENT_SECRET_FILE": str(state.secrets / "payment_secret")} if service == "orders" else {}),
    }


def of_process(name: str, state: State, ports: Mapping[str, int], settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process, by its name in ``processes.table``."""
    if name in processes.WEB:
        return of_command(processes.WEB[name], state, ports, settings) | _listening(name, state, ports)
    if name in processes.WORKERS:
        service = of_command(processes.WORKERS[name], state, ports, settings)
        return service | {"INSTANCE": name, "METRICS_BIND": _metrics(name, ports)}
    if name == processes.PAYMENT:
        return {
            **base(state),
            "BIND": _address(name, ports),
            "PAYMENT_SECRET_FILE": str(state.secrets / "payment_secret"),
            "DATABASE_URL_FILE": str(state.secrets / name / "url"),
        }
    if name == processes.EXPORTER:
        return {
            **base(state),
            "METRICS_BIND": _metrics(name, ports),
            "DATABASE_SERVERS": f"postgres=127.0.0.1:{ports['POSTGRES_PORT']}",
            "MONITOR_PASSWORD_FILE": str(state.secrets / "monitor_password"),
            "WEB_INSTANCES": ",".join(f"{each}={_address(each, ports)}" for each in processes.WEB),
            "CERTIFICATES": settings.get("CERTIFICATES", ""),
        }
    return base(state)


def metrics_folder(name: str, state: State) -> Path:
    """Where the workers of an instance leave their counters for its exporter."""
    return state.run / "metrics" / name


def _listening(name: str, state: State, ports: Mapping[str, int]) -> dict[str, str]:
    return {
        "INSTANCE": name,
        "BIND": _address(name, ports),
        "METRICS_BIND": _metrics(name, ports),
        "PROMETHEUS_MULTIPROC_DIR": str(metrics_folder(name, state)),
    }


def _address(name: str, ports: Mapping[str, int]) -> str:
    return f"127.0.0.1:{ports[f'{processes.variable(name)}_PORT']}"


def _metrics(name: str, ports: Mapping[str, int]) -> str:
    return f"127.0.0.1:{ports[f'{processes.variable(name)}_METRICS_PORT']}"


def _addresses(ports: Mapping[str, int]) -> dict[str, str]:
    def url(*names: str) -> str:
        return ",".join(f"http://127.0.0.1:{ports[f'{name}_PORT']}" for name in names)

    return {
        "PRODUCTS_URL": url("PRODUCTS_1", "PRODUCTS_2"),
        "STOCK_URL": url("STOCK"),
        "CUSTOMERS_URL": url("CUSTOMERS"),
        "CART_URL": url("CART"),
        "ORDERS_URL": url("ORDERS"),
        "PAYMENT_URL": url("PAYMENT"),
        "JWKS_URL": f"{url('CUSTOMERS')}/api/v1/customers/.well-known/jwks.json",
    }
