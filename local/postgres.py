"""PostgreSQL: one server for the whole shop, a database and two roles for each service."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from local import environment
from local.problem import Problem
from local.processes import postgres_program
from local.secrets import DATABASES
from local.state import State
from local.user import User
from local.venv import ROOT

ANALYZE = """DO $$ DECLARE due regclass; BEGIN
    FOR due IN SELECT relid FROM pg_stat_user_tables
        WHERE schemaname = 'public' AND pg_relation_size(relid) > 0
        AND (greatest(last_analyze, last_autoanalyze) IS NULL OR n_mod_since_analyze > n_live_tup / 10)
    LOOP EXECUTE format('ANALYZE %s', due); END LOOP;
END $$"""
"""``ANALYZE`` for tables that hold something, where nobody looked yet or a tenth changed since (autovacuum's
measure): of what is known in a shop of a million it takes 3.7 s of each start. An empty one that was looked at counts
as empty, and is read from end to end until autovacuum comes by again; of one that nobody looked at PostgreSQL expects
that it will be filled."""


def create(state: State, user: User) -> None:
    """Makes the data folder, once. It gets its name when it is whole: an interrupted call leaves nothing half done."""
    if state.postgres.exists():
        return
    unfinished = user.folder(state.run) / "postgres.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    options = {
        "pgdata": unfinished,
        "username": "postgres",
        "pwfile": state.secrets / "superuser_password",
        "auth": "scram-sha-256",
        "encoding": "UTF8",
        "locale": "C",
    }
    words = [f"--{name}={value}" for name, value in options.items()]
    _run(user.command(postgres_program("initdb"), "--no-sync", "--no-instructions", *words), environment.base(state))
    unfinished.rename(state.postgres)


def ready(port: int) -> bool:
    """Whether the server takes connections."""
    command = [postgres_program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    return subprocess.run(command, check=False).returncode == 0


def provision(state: State, port: int) -> None:
    """Makes the databases and roles that are missing, and gives the roles their passwords (postgres/provision.sh)."""
    databases = {"DATABASES": " ".join(DATABASES), "SECRETS": str(state.secrets)}
    _run([str(ROOT / "postgres" / "provision.sh")], as_superuser(state, port) | databases)


def notes(state: State, port: int) -> dict[str, str]:
    """What ``note`` left at each database, by the database's name."""
    query = "SELECT datname, shobj_description(oid, 'pg_database') FROM pg_database"
    lines = _psql(state, port, query).splitlines()
    return dict(line.split("|", 1) for line in lines)


def note(state: State, port: int, database: str, text: str) -> None:
    """Leaves a word at a database, as its comment: it goes where the data goes."""
    _psql(state, port, f"COMMENT ON DATABASE {database} IS '{text}'")


def analyze(state: State, port: int, *databases: str) -> None:
    """Has PostgreSQL look at what is new in its tables, so that it plans well from the first query on.

    It would by itself, within a minute: https://www.postgresql.org/docs/18/routine-vacuuming.html
    """
    for database in databases:
        _psql(state, port, ANALYZE, database)


def _psql(state: State, port: int, statement: str, database: str = "postgres") -> str:
    command = [postgres_program("psql"), "-XqAt", "-d", database, "-c", statement]
    return _run(command, as_superuser(state, port))


def as_superuser(state: State, port: int) -> dict[str, str]:
    """The environment in which PostgreSQL's programs are the superuser of this server."""
    base = environment.base(state)
    return base | {
        "PATH": f"{Path(postgres_program('psql')).parent}:{base['PATH']}",
        "PGHOST": "127.0.0.1",
        "PGPORT": str(port),
        "PGUSER": "postgres",
        "PGPASSWORD": (state.secrets / "superuser_password").read_text(),
        "PGCONNECT_TIMEOUT": "5",
    }


def _run(command: list[str], variables: Mapping[str, str]) -> str:
    done = subprocess.run(command, env=variables, cwd="/", capture_output=True, text=True, check=False)
    if done.returncode:
        raise Problem(f"{' '.join(command)} failed: {(done.stderr or done.stdout).strip()}")
    return done.stdout
