"""Where PostgreSQL's programs run, and how a shop's services stop and start: on this machine, or in Docker."""

import os
import shlex
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, Protocol

from local import postgres, processes
from local.problem import Problem
from local.secrets import DATABASES
from local.shop import Shop
from local.venv import ROOT

_USERS = (*processes.WEB, *processes.WORKERS, processes.PAYMENT)
"""What is connected to the databases."""


class Servers(Protocol):
    """A shop's database servers, reached as their superuser."""

    def run(self, database: str, program: str, *words: str, stdin: Any = None, stdout: Any = None) -> str:
        """Runs a program of PostgreSQL beside the server of ``database``; its output. Raises ``Problem``."""

    def together(self, databases: Iterable[str]) -> list[list[str]]:
        """The databases by server: what one transaction can rename."""

    def stop(self) -> None:
        """Stops what uses the databases; the servers stay."""

    def start(self) -> None:
        """Roles' rights, migrations, then all that was stopped."""


def found(state: Path) -> Servers:
    """The servers of the local shop; those of Docker where COMPOSE says how to call Compose ("docker compose")."""
    if command := os.environ.get("COMPOSE"):
        return Compose(shlex.split(command))
    shop = Shop.found(state)
    if not shop.supervisor.alive():
        raise Problem("the shop is down: `make up` starts it (COMPOSE='docker compose' means the one in Docker)")
    return Local(shop)


class Local:
    """One server for all databases."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def run(self, database: str, program: str, *words: str, stdin: Any = None, stdout: Any = None) -> str:
        """See ``Servers``."""
        command = [processes.postgres_program(program), *words]
        variables = postgres.as_superuser(self._shop.state, self._shop.ports["POSTGRES_PORT"])
        return _run(command, stdin, stdout, variables)

    def together(self, databases: Iterable[str]) -> list[list[str]]:
        """See ``Servers``."""
        return [list(databases)]

    def stop(self) -> None:
        """See ``Servers``. The gateway stays, and says that the shop is away."""
        running = {name for name, known in self._shop.supervisor.processes().items() if known["pid"]}
        self._shop.supervisor.stop(sorted(running - {"postgres", "nginx", "prometheus"}))

    def start(self) -> None:
        """See ``Servers``. No goods are loaded: they came back with the rest."""
        self._shop.settings["SEED"] = "none"
        self._shop.up()


class Compose:
    """A server for each service; the provider's database is on that of orders."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._stopped: list[str] = []

    def run(self, database: str, program: str, *words: str, stdin: Any = None, stdout: Any = None) -> str:
        """See ``Servers``. In the container the superuser needs no password."""
        command = [*self._command, "exec", "-T", self._server(database), program, "-U", "postgres", *words]
        return _run(command, stdin, stdout)

    def together(self, databases: Iterable[str]) -> list[list[str]]:
        """See ``Servers``."""
        servers: dict[str, list[str]] = {}
        for database in databases:
            servers.setdefault(self._server(database), []).append(database)
        return list(servers.values())

    def stop(self) -> None:
        """See ``Servers``. The gateway stays, and says that the shop is away."""
        known = _run([*self._command, "ps", "--services", "--filter", "status=running"]).split()
        self._stopped = [name for name in _USERS if name in known]
        # Removed, not only stopped: Docker gives a tmpfs to root when a container starts again, and nobody can write.
        _run([*self._command, "rm", "--stop", "--force", *self._stopped])

    def start(self) -> None:
        """See ``Servers``. Compose runs the one-shot containers before them again, which migrate."""
        for server in {self._server(database): None for database in DATABASES}:
            _run([*self._command, "exec", "-T", server, "sh", "/docker-entrypoint-initdb.d/provision.sh"])
        _run([*self._command, "up", "-d", *(self._stopped or _USERS)])

    def _server(self, database: str) -> str:
        return "orders-db" if database == processes.PAYMENT else f"{database}-db"


def _run(command: list[str], stdin: Any = None, stdout: IO[bytes] | None = None, variables: Any = None) -> str:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=variables,
        stdin=stdin or subprocess.DEVNULL,
        stdout=stdout or subprocess.PIPE,
        stderr=subprocess.PIPE,
        check=False,
    )
    if done.returncode:
        raise Problem(f"{' '.join(command[:8])} … failed: {done.stderr.decode(errors='replace').strip()[-800:]}")
    return (done.stdout or b"").decode()
