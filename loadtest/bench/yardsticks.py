"""What figures are held against, so that they mean the same on another machine: all in the shop that is measured.

A static file and a bare Django view, both by the shop's own nginx, the view by the same gunicorn as the services, two
instances as products has. The statements of a checkout by pgbench, on the shop's own PostgreSQL.
"""

import os
import re
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local import postgres, wait
from local.processes import postgres_program
from local.shop import Shop

from loadtest.bench.sample import Sample

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
DATABASE = "yardstick"
SERVER = """
upstream bare {{
    {servers}
    keepalive 32;
    keepalive_timeout 10s;
}}
server {{
    listen 127.0.0.1:{port} backlog=4096;
    access_log off;
    default_type application/json;
    root "{root}";
    location = /bare {{
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_pass http://bare;
    }}
}}
"""


@contextmanager
def beside(shop: Shop, body: bytes) -> Iterator[tuple[int, dict[str, int]]]:
    """The port where nginx serves ``/body.json`` and ``/bare``, and the processes behind it, by name."""
    ports = [_free_port() for _ in range(3)]
    instances = {f"bare-{number}": _bare(port) for number, port in enumerate(ports[1:], 1)}
    try:
        _serve(shop, ports[0], ports[1:], body)
        yield ports[0], {name: instance.pid for name, instance in instances.items()}
    finally:
        for instance in instances.values():
            instance.terminate()
            instance.wait(20)


def create_tables(shop: Shop) -> None:
    """A database of its own for pgbench, with the tables that a checkout touches and 5,000 goods."""
    command = [postgres_program("psql"), "-Xq", "-v", "ON_ERROR_STOP=1"]
    _run(shop, [*command, "-d", "postgres", "-c", f"CREATE DATABASE {DATABASE}"])
    _run(shop, [*command, "-d", DATABASE, "-f", str(HERE / "schema.sql")])


def checkouts(shop: Shop, seconds: float, clients: int = 16) -> Sample:
    """The statements of checkouts by as many clients as buyers."""
    script = str(HERE / "checkout.sql")
    words = ["-n", "-f", script, "-c", str(clients), "-j", "1", "-T", str(max(1, round(seconds))), DATABASE]
    return parsed(_run(shop, [postgres_program("pgbench"), *words]))


def parsed(said: str) -> Sample:
    """What pgbench prints."""
    done, failed, rate, latency = (
        re.search(pattern, said)
        for pattern in (
            r"actually processed: (\d+)",
            r"failed transactions: (\d+)",
            r"tps = ([\d.]+)",
            r"average = ([\d.]+)",
        )
    )
    if done is None or rate is None or latency is None:
        raise RuntimeError(f"pgbench said: {said}")
    errors = Counter({"failed": int(failed[1])} if failed and int(failed[1]) else {})
    return Sample(int(done[1]), int(done[1]) / float(rate[1]), {"checkout mean": float(latency[1])}, errors)


def _serve(shop: Shop, port: int, bare: list[int], body: bytes) -> None:
    root = shop.user.folder(shop.state.run / "yardstick", mode=0o755)
    shop.user.write(root / "body.json", body.decode(), mode=0o644)
    for each in bare:
        wait.until(lambda each=each: wait.answers(f"http://127.0.0.1:{each}/bare"), seconds=20, what="the bare view")  # type: ignore[misc]
    # max_fails=0: a yardstick does not fail.
    servers = " ".join(f"server 127.0.0.1:{each} max_fails=0;" for each in bare)
    internal = shop.state.gateway / "conf.d" / "internal.conf"
    shop.user.write(internal, internal.read_text() + SERVER.format(port=port, servers=servers, root=root))
    shop.signal("nginx", signal.SIGHUP)
    for path in ("bare", "body.json"):
        address = f"http://127.0.0.1:{port}/{path}"
        wait.until(lambda address=address: wait.answers(address), seconds=20, what=address)  # type: ignore[misc]


def _bare(port: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "gunicorn", "-c", "python:chassis.gunicorn", "loadtest.bench.bare"]
    told = {"BIND": f"127.0.0.1:{port}", "INSTANCE": "bare", "LOG_LEVEL": "WARNING"}
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | told)  # noqa: S603 - our own view


def _run(shop: Shop, command: list[str]) -> str:
    env = postgres.as_superuser(shop.state, shop.ports["POSTGRES_PORT"])
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)  # noqa: S603 - our own files
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stderr.strip()}")
    return done.stdout


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
