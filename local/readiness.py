"""When a process does its work: each kind says it in its own way."""

from collections.abc import Mapping

from local import postgres, wait
from local.processes import EXPORTER, PAYMENT, WEB, variable
from local.supervisor import Supervisor


def check(name: str, ports: Mapping[str, int], supervisor: Supervisor) -> bool:
    """Whether the process is ready now."""
    if name in WEB:
        return wait.answers(f"http://127.0.0.1:{ports[f'{variable(name)}_PORT']}/readyz")
    if name == PAYMENT:
        return wait.answers(f"http://127.0.0.1:{ports['PAYMENT_PORT']}/livez")
    if name == "postgres":
        return postgres.ready(ports["POSTGRES_PORT"])
    if name == "nginx":
        return wait.answers(f"http://127.0.0.1:{ports['GATEWAY_PORT']}/healthz")
    if name == EXPORTER:
        return wait.answers(f"http://127.0.0.1:{ports['EXPORTER_METRICS_PORT']}/metrics")
    if name == "prometheus":
        return wait.answers(f"http://127.0.0.1:{ports['PROMETHEUS_PORT']}/-/ready")
    return str(supervisor.processes()[name]["statename"]) == "RUNNING"
