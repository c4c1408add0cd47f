"""Databases with the services' own migrations, on a PostgreSQL of the tests' own."""

import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import psycopg2
from chassis.testing import environment

ROOT = Path(__file__).resolve().parents[3]
SERVICES = environment.SERVICES
_CHARGES = "import sys; from testpay.charges import Charges; Charges(sys.argv[1]).make_table()"


def execute(url: str, *statements: str) -> None:
    """Statements outside of any transaction."""
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    connection.close()


def migrated(server: str) -> dict[str, str]:
    """A database for each service, and the test provider's, as their own code makes them; URLs by name."""
    names = (*SERVICES, "testpay")
    urls = {name: f"{server}/{name}" for name in names}
    execute(f"{server}/postgres", *(f'CREATE DATABASE "{name}"' for name in names))
    extensions = (ROOT / "postgres" / "sql" / "products.sql").read_text()
    execute(urls["products"], extensions)
    jobs = [_run(name, urls[name], "manage.py", "migrate", "--verbosity", "0") for name in SERVICES]
    jobs.append(_run("orders", urls["orders"], "-c", _CHARGES, urls["testpay"]))
    for job in jobs:
        if job.wait():
            raise RuntimeError(f"{job.args!r} failed")
    return urls


def copied(server: str, name: str) -> str:
    """A copy of a database that nobody is connected to; its URL."""
    copy = f"{name}_{uuid4().hex}"
    execute(f"{server}/postgres", f'CREATE DATABASE "{copy}" TEMPLATE "{name}"')
    return f"{server}/{copy}"


def _run(service: str, url: str, *words: str) -> "subprocess.Popen[bytes]":
    before = dict(os.environ)
    environment.apply(url)
    variables = dict(os.environ) | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings"}
    os.environ.clear()
    os.environ.update(before)
    return subprocess.Popen([sys.executable, *words], cwd=ROOT / service, env=variables)
