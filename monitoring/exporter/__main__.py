"""``python -m exporter``: the metrics of PostgreSQL's servers and of TLS certificates, until it is told to stop."""

import signal
from threading import Event

from chassis import env
from prometheus_client import CollectorRegistry, start_http_server

from exporter.certificates import Certificates
from exporter.postgres import Servers
from exporter.readiness import Readiness


def main() -> None:
    """Reads the configuration, serves, and ends with SIGTERM or SIGINT."""
    # DATABASE_SERVERS: name=host:port of each server, comma separated. WEB_INSTANCES: the same of each web instance.
    servers, instances = _addresses("DATABASE_SERVERS"), _addresses("WEB_INSTANCES")
    # MONITOR_PASSWORD: that of the role `monitor`, which may look at statistics and at nothing else.
    password = env.text("MONITOR_PASSWORD") if servers else ""
    # CERTIFICATES: host:port of each TLS server whose certificate is watched, comma separated.
    certificates = env.words("CERTIFICATES", [])
    # METRICS_BIND: host:port of the exporter. 9187 is postgres_exporter's.
    host, _, port = env.text("METRICS_BIND", "127.0.0.1:9187").rpartition(":")

    registry = CollectorRegistry()
    registry.register(
        Servers({name: f"postgres://monitor@{each}/postgres" for name, each in servers.items()}, password)
    )
    registry.register(Readiness(instances))
    registry.register(Certificates(certificates))
    over = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    start_http_server(int(port), addr=host, registry=registry)
    over.wait()


def _addresses(variable: str) -> dict[str, str]:
    try:
        return dict(word.split("=", 1) for word in env.words(variable, []))
    except ValueError:
        raise SystemExit(f"comptoir: {variable} is not usable: give name=host:port, comma separated") from None


if __name__ == "__main__":
    main()
