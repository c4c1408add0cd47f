"""Prometheus' configuration: that of monitoring/prometheus, with the targets' names replaced by local addresses."""

import re
from collections.abc import Mapping

from local.processes import EXPORTER, PROMETHEUS, WEB, WORKERS, variable
from local.state import State
from local.user import User


def render(state: State, user: User, ports: Mapping[str, int]) -> None:
    """Copies the configuration below the state folder; `<process>:<port>` becomes the address of its metrics here."""
    targets = {name: ports[f"{variable(name)}_METRICS_PORT"] for name in (*WEB, *WORKERS, EXPORTER)}
    targets |= {"gateway": ports["GATEWAY_METRICS_PORT"], "prometheus": ports["PROMETHEUS_PORT"]}
    target = user.folder(state.run / "prometheus")
    for source in (PROMETHEUS / "prometheus.yml", *sorted(PROMETHEUS.glob("rules/*.yml"))):
        text = source.read_text()
        for name, port in targets.items():
            text = re.sub(rf'"{name}:\d+"', f'"127.0.0.1:{port}"', text)
        path = target / source.relative_to(PROMETHEUS)
        user.folder(path.parent)
        user.write(path, text)
