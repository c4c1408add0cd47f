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
    base = environment.base(state)
    connection = {
        "PATH": f"{Path(postgres_program('psql')).parent}:{base['PATH']}",
        "PGHOST": "127.0.0.1",
        "PGPORT": str(port),
        "PGUSER": "postgres",
        "PGPASSWORD": (state.secrets / "superuser_password").read_text(),
        "PGCONNECT_TIMEOUT": "5",
        "DATABASES": " ".join(DATABASES),
        "SECRETS": str(state.secrets),
    }
    _run([str(ROOT / "postgres" / "provision.sh")], base | connection)


def _run(command: list[str], variables: Mapping[str, str]) -> None:
    done = subprocess.run(command, env=variables, cwd="/", capture_output=True, text=True, check=False)
    if done.returncode:
        raise Problem(f"{command[-1]} failed: {(done.stderr or done.stdout).strip()}")
