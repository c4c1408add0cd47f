"""A shop in containers: docker-compose.yml under a project name and on ports of its own."""

import hashlib
import json
import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local import ports

ROOT = Path(__file__).resolve().parents[2]
# Each clone tests a shop and images of its own: two can do it at once, and each finds what an interrupted run left.
CLONE = hashlib.sha256(bytes(ROOT)).hexdigest()[:8]
PROJECT = f"comptoir-test-{CLONE}"
GRAFANA = "grafana/grafana:12.2.0"
WEB = ("products-1", "products-2", "stock", "customers", "cart", "orders")


def run(*command: str, env: Mapping[str, str] | None = None, check: bool = True) -> str:
    """Runs a command at the root and returns what it printed."""
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


def succeeds(*command: str) -> bool:
    """Whether the command's exit code is 0."""
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


class Containers:
    """The containers of one shop. Making the object starts nothing."""

    def __init__(self) -> None:
        offset = ports.free_offset()
        self.ports = ports.resolve({}, offset) | {"GRAFANA_PORT": 3000 + offset}
        self.url = f"http://localhost:{self.ports['GATEWAY_PORT']}"
        plugin = succeeds("docker", "compose", "version")
        self._command = ("docker", "compose") if plugin else ("docker-compose",)
        legacy = {} if plugin else {"DOCKER_BUILDKIT": "0", "COMPOSE_DOCKER_CLI_BUILD": "0"}
        self._env = {
            # Nothing of the person's own settings, which may name another shop.
            **{name: os.environ[name] for name in os.environ if name in ("PATH", "HOME") or name.startswith("DOCKER_")},
            **legacy,
            **{name: str(port) for name, port in self.ports.items()},
            "COMPOSE_PROJECT_NAME": PROJECT,
            "COMPTOIR_TAG": CLONE,
            "GATEWAY_BIND": "127.0.0.1",
            # The journeys do more than one person does, whatever addresses Docker gives to its networks (172.16.0.0/12,
            # then 192.168.0.0/16). The limits themselves are tested in nginx/tests.
            **{f"LIMIT_{what}_RATE": "1000r/s" for what in ("SIGN_IN", "CHECKOUT")},
            "LIMIT_RATE": "5000r/s",
        }
        self.grafana = succeeds("docker", "image", "inspect", GRAFANA) or succeeds("docker", "pull", "-q", GRAFANA)

    def compose(
        self, *words: str, check: bool = True, without: str | None = None, more: Mapping[str, str] | None = None
    ) -> str:
        """Runs a command of Compose; ``without`` leaves one variable out, ``more`` are some more."""
        env = {name: value for name, value in {**self._env, **(more or {})}.items() if name != without}
        return run(*self._command, *words, env=env, check=check)

    def build(self) -> None:
        """Builds the images."""
        self.compose("build")

    def up(self, **settings: str) -> None:
        """Starts everything and returns when the last step is done."""
        names = ("welcome", "prometheus", "exporter", *(["grafana"] if self.grafana else []))
        self.compose("up", "-d", *names, more=settings)
        until(lambda: self.inspect("welcome")["State"]["Status"] == "exited", "welcome to end")
        assert self.inspect("welcome")["State"]["ExitCode"] == 0, self.logs("welcome")

    def down(self) -> None:
        """Stops everything and forgets its data."""
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "5")

    def all(self) -> dict[str, dict[str, Any]]:
        """What the engine knows of each container, by the name of its service."""
        ids = run("docker", "ps", "-aq", "--filter", f"label=com.docker.compose.project={PROJECT}").split()
        found = json.loads(run("docker", "inspect", *ids)) if ids else []
        return {each["Config"]["Labels"]["com.docker.compose.service"]: each for each in found}

    def running(self) -> dict[str, dict[str, Any]]:
        """Those that run: everything but the one-shot steps."""
        return {name: each for name, each in self.all().items() if each["State"]["Running"]}

    def inspect(self, service: str) -> dict[str, Any]:
        """What the engine knows of one container."""
        return self.all()[service]

    def execute(self, service: str, *command: str) -> str:
        """Runs a command in a running container."""
        return run("docker", "exec", self.inspect(service)["Id"], *command)

    def logs(self, service: str) -> str:
        """What a container printed."""
        return run("docker", "logs", self.inspect(service)["Id"])

    def secrets(self) -> dict[str, str]:
        """Every secret of the shop by its path."""
        script = "import json, pathlib; p = pathlib.Path('/secrets/all')"
        script += "; print(json.dumps({str(f.relative_to(p)): f.read_text() for f in p.rglob('*') if f.is_file()}))"
        volume = f"{PROJECT}_secrets:/secrets/all:ro"
        found: dict[str, str] = json.loads(
            run("docker", "run", "--rm", "-v", volume, f"comptoir/docker:{CLONE}", "python", "-c", script)
        )
        return found


def until(condition: Any, what: str, seconds: float = 120) -> None:
    """Returns when the condition holds; fails the test when it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds:.0f} s for {what}, in vain"
        time.sleep(0.5)
