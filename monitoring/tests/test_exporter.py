"""The exporter against a real PostgreSQL and a real TLS server."""

import os
import socket
import subprocess
import sys
import threading
import urllib.request
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg2
import pytest
from local import wait
from local.secrets import DATABASES
from local.shop import Shop
from local.venv import ROOT
from prometheus_client.core import Metric

from exporter.certificates import Certificates
from exporter.postgres import Servers
from exporter.readiness import Readiness

UNIMPROVABLE = {"pg_locks_count", "pg_stat_activity_count"}
"""postgres_exporter's own names, which promtool finds unfortunate."""


def password(shop: Shop) -> str:
    return (shop.state.secrets / "monitor_password").read_text()


def address(shop: Shop, database: str = "postgres") -> str:
    return f"postgres://monitor@127.0.0.1:{shop.ports['POSTGRES_PORT']}/{database}"


@pytest.fixture
def servers(server: Shop) -> Servers:
    return Servers({"ours": address(server), "away": "postgres://monitor@127.0.0.1:9/postgres"}, password(server))


def samples(collector: Servers | Certificates | Readiness) -> dict[tuple[str, ...], float]:
    families: list[Metric] = list(collector.collect())
    return {(it.name, *it.labels.values()): it.value for family in families for it in family.samples}


def test_it_knows_every_database_and_the_state_of_its_connections(servers: Servers, server: Shop) -> None:
    before = samples(servers)
    url = (server.state.secrets / "stock" / "url").read_text()
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE t (n int)")
        cursor.execute("SELECT count(*) FROM t")
        found = samples(servers)
    connection.close()
    assert {labels[2] for labels in found if labels[0] == "pg_database_size_bytes"} == set(DATABASES)
    assert found["pg_database_size_bytes", "ours", "stock"] > 5_000_000
    state = ("pg_stat_activity_count", "ours", "stock", "idle in transaction")
    assert (before[state], found[state]) == (0, 1)
    assert found["pg_stat_activity_max_tx_duration", *state[1:]] > 0
    assert found["pg_locks_count", "ours", "stock", "accessexclusivelock"] >= 1
    assert found["pg_connections", "ours"] == before["pg_connections", "ours"] + 1
    assert found["pg_settings_max_connections", "ours"] == 96
    assert found["pg_static", "ours", "18.6"] == 1
    assert 0 < datetime.now(UTC).timestamp() - found["pg_postmaster_start_time_seconds", "ours"] < 600
    assert found["pg_wal_size_bytes", "ours"] > 0


def test_transactions_are_counted(servers: Servers, server: Shop) -> None:
    commits = ("pg_stat_database_xact_commit", "ours", "cart")
    before = samples(servers)[commits]
    for _ in range(3):
        with psycopg2.connect((server.state.secrets / "cart" / "url").read_text()) as connection:
            connection.cursor().execute("SELECT 1")
        connection.close()
    wait.until(lambda: samples(servers)[commits] >= before + 3, seconds=10, what="three commits")


def test_a_server_that_is_away_hides_no_other_and_is_found_when_it_is_back(server: Shop, servers: Servers) -> None:
    found = samples(servers)
    assert (found["pg_up", "ours"], found["pg_up", "away"]) == (1, 0)
    assert not [labels for labels in found if labels[1] == "away" and labels[0].startswith(("pg_stat", "pg_data"))]
    server.stop("postgres")
    assert samples(servers)["pg_up", "ours"] == 0
    server.start("postgres")
    assert samples(servers)["pg_up", "ours"] == 1


def test_the_monitor_reads_no_row_of_anybody(server: Shop) -> None:
    for database in DATABASES:
        with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
            psycopg2.connect(address(server, database), password=password(server))
    with psycopg2.connect(address(server), password=password(server)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False,)
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("SELECT * FROM pg_authid")
    connection.close()


def test_an_instance_is_ready_when_it_says_so_and_not_when_it_hangs_refuses_or_is_away() -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/readyz" and self.headers["Host"].endswith(f":{ports[0]}") else 503)
            self.end_headers()

        def log_message(self, *words: object) -> None:
            return

    servers = [ThreadingHTTPServer(("127.0.0.1", 0), Handler) for _ in range(2)]
    ports = [server.server_port for server in servers]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        addresses = {"good": ports[0], "refuses": ports[1], "hangs": silent.getsockname()[1], "away": 9}
        found = samples(Readiness({name: f"127.0.0.1:{port}" for name, port in addresses.items()}))
    for server in servers:
        server.shutdown()
        server.server_close()
    assert found == {
        ("instance_ready", "good"): 1,
        ("instance_ready", "refuses"): 0,
        ("instance_ready", "hangs"): 0,
        ("instance_ready", "away"): 0,
    }


def test_a_certificate_s_end_is_known_and_one_that_is_not_shown_is_no_success(
    certified: tuple[str, datetime],
) -> None:
    target, end = certified
    assert samples(Certificates([target, "127.0.0.1:9", "nonsense"])) == {
        ("probe_success", target): 1,
        ("probe_success", "127.0.0.1:9"): 0,
        ("probe_success", "nonsense"): 0,
        ("probe_ssl_earliest_cert_expiry", target): end.timestamp(),
    }


def test_the_program_serves_and_promtool_finds_nothing_that_could_be_mended(
    server: Shop, certified: tuple[str, datetime], promtool: str
) -> None:
    port = server.ports["EXPORTER_METRICS_PORT"]
    environment = {
        **os.environ,
        "METRICS_BIND": f"127.0.0.1:{port}",
        "DATABASE_SERVERS": f"ours=127.0.0.1:{server.ports['POSTGRES_PORT']}",
        "MONITOR_PASSWORD_FILE": str(server.state.secrets / "monitor_password"),
        "CERTIFICATES": certified[0],
    }
    command = [sys.executable, "-m", "exporter"]
    with subprocess.Popen(command, cwd=ROOT / "monitoring", env=environment) as process:
        try:
            wait.until(lambda: wait.answers(f"http://127.0.0.1:{port}/metrics"), seconds=20, what="the exporter")
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
                text = answer.read()
        finally:
            process.terminate()
    assert process.returncode == 0
    assert b'pg_up{server="ours"} 1.0' in text
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False)
    assert {line.split()[0] for line in done.stderr.decode().splitlines()} <= UNIMPROVABLE
