"""The gateway's configuration: nginx/render.py fills it with this shop's addresses."""

import subprocess
from collections.abc import Mapping

from local import environment
from local.problem import Problem
from local.processes import package_folder, prometheus_program
from local.state import State
from local.user import User
from local.venv import PYTHON, ROOT

ADDRESSES = ("PRODUCTS_1", "PRODUCTS_2", "STOCK", "CUSTOMERS", "CART", "ORDERS")


def variables(state: State, ports: Mapping[str, int], settings: Mapping[str, str]) -> dict[str, str]:
    """The gateway's variables (nginx/README.md): those that are set are taken, but where things are is ours to say."""
    bind = settings.get("GATEWAY_BIND", "127.0.0.1")
    assets = package_folder("drf_spectacular_sidecar") / "static" / "drf_spectacular_sidecar"
    return {
        "GATEWAY_TLS_LISTEN": f"{bind}:{ports['GATEWAY_TLS_PORT']}",
        **{name: settings[name] for name in names() if name in settings},
        "GATEWAY_BIND": bind,
        "GATEWAY_LISTEN": f"{bind}:{ports['GATEWAY_PORT']}",
        "GATEWAY_METRICS_LISTEN": f"127.0.0.1:{ports['GATEWAY_METRICS_PORT']}",
        **{f"{name}_ADDRESS": f"127.0.0.1:{ports[f'{name}_PORT']}" for name in ADDRESSES},
        "GATEWAY_RUN_DIR": str(state.run / "nginx"),
        "MEDIA_ROOT": str(state.media),
        "DOCS_ASSETS": str(assets / "swagger-ui-dist"),
        "PROMETHEUS_PORT": str(ports["PROMETHEUS_PORT"]) if prometheus_program(settings) else "",
        "GRAFANA_PORT": "",
    }


def render(state: State, user: User, values: dict[str, str]) -> None:
    """Writes the configuration below the state folder. Raises ``Problem`` for a value that it refuses."""
    command = user.command(PYTHON, ROOT / "nginx" / "render.py", state.gateway)
    done = subprocess.run(
        command, env=environment.base(state) | values, cwd="/", capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Problem(done.stderr.strip().splitlines()[-1])


def names() -> list[str]:
    """The variables that the gateway knows."""
    lines = (ROOT / "nginx" / "variables.env").read_text().splitlines()
    return [line.split("=", 1)[0] for line in lines if line and not line.startswith("#")]
