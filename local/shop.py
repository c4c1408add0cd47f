"""A whole shop on this machine. Tests, load tests and fault runs bring up shops of their own beside a running one:

with Shop(state=Path("/tmp/shop"), offset=2000, settings={"SEED": "none"}) as shop:
    urllib.request.urlopen(shop.url + "/api/v1/products")
    shop.signal("products-1", signal.SIGKILL)
    shop.restart("orders", {"SOME_SETTING": "for this process only"})
"""

import json
import shlex
import shutil
import signal as signals
import subprocess
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Self

from local import census, environment, gateway, ports, processes, readiness, reload, up, wait
from local.problem import Problem
from local.state import State
from local.supervisor import Supervisor, configuration
from local.user import User, runner
from local.venv import PYTHON, ROOT

FOLDER = ROOT / ".local"


class Shop:
    """One shop: its state folder, its ports, its processes. Making the object starts nothing.

    ``settings`` are the variables that `make up` takes from its environment (ports, SEED, STAFF_PASSWORD, WORKERS …),
    ``extra`` are more variables for single processes. Methods raise ``Problem`` with a message for people.
    """

    def __init__(
        self,
        state: Path = FOLDER,
        offset: int = 0,
        settings: Mapping[str, str] | None = None,
        extra: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self.state = State(state.resolve())
        self.offset = offset
        self.settings = dict(settings or {})
        self.extra = {name: dict(values) for name, values in (extra or {}).items()}
        self.ports = ports.resolve(self.settings, offset)
        self.supervisor = Supervisor(self.state)

    @classmethod
    def found(cls, state: Path = FOLDER) -> Self:
        """The shop of a state folder as its last `up` set it up; one with default settings where there was none."""
        saved = State(state.resolve()).run / "shop.json"
        return cls(state, **(json.loads(saved.read_text()) if saved.exists() else {}))

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(self, *failure: object) -> None:
        self.down()

    @property
    def url(self) -> str:
        """The shop's address at the gateway, without a slash at its end."""
        return f"http://127.0.0.1:{self.ports['GATEWAY_PORT']}"

    @cached_property
    def user(self) -> User:
        """Who the processes run as."""
        return runner(ROOT, PYTHON, self.state.folder)

    @cached_property
    def table(self) -> dict[str, processes.Process]:
        """The processes by name."""
        return processes.table(self.state, self.ports, self.settings)

    def env(self, name: str) -> dict[str, str]:
        """The whole environment of a process."""
        values = environment.of_process(name, self.state, self.ports, self.settings)
        if name == "nginx":
            values |= gateway.variables(self.state, self.ports, self.settings)
        return values | self.extra.get(name, {})

    def command_env(self, service: str) -> dict[str, str]:
        """The whole environment of a service's commands, such as `manage.py shell`."""
        return environment.of_command(service, self.state, self.ports, self.settings)

    def up(self, say: Callable[[str], None] = lambda line: None) -> None:
        """Starts the shop and returns when it sells. What runs already stays; a failure stops what it started."""
        with self.state.locked(self.user):
            up.up(self, say)

    def up_databases(self, say: Callable[[str], None] = lambda line: None) -> None:
        """Starts PostgreSQL alone, with all databases and roles, as the tests of what asks it need it."""
        with self.state.locked(self.user):
            up.databases(self, say)

    def down(self) -> int:
        """Stops everything of this shop, whatever happened before; returns how many processes that were."""
        if not self.supervisor.alive():
            return census.end(self.state)
        running = [name for name, known in self.supervisor.processes().items() if known["pid"]]
        tiers = {name: self.table[name].order if name in self.table else 0 for name in running}
        for tier in sorted(set(tiers.values()), reverse=True):
            self.supervisor.stop(name for name in running if tiers[name] == tier)
        self.supervisor.shutdown()
        census.end(self.state)
        return len(running)

    def forget(self) -> None:
        """Stops the shop and removes its state: goods, orders, secrets and all."""
        self.down()
        shutil.rmtree(self.state.folder, ignore_errors=True)
        shutil.rmtree(self.state.socket.parent, ignore_errors=True)

    def start(self, name: str) -> None:
        """Starts one process and waits until it is ready."""
        self.supervisor.run([name])
        self.wait_ready(name)

    def stop(self, name: str) -> None:
        """Stops one process, which stays away until it is started."""
        self.supervisor.stop([name])

    def restart(self, name: str, extra: Mapping[str, str] | None = None) -> None:
        """Stops and starts one process; with ``extra`` it gets these variables from now on, instead of earlier ones."""
        self.stop(name)
        if extra is not None:
            self.extra[name] = dict(extra)
            self.write(self.configuration())
        self.start(name)

    def reload(self) -> None:
        """Takes new code and configuration, one process after the other, without losing a request."""
        reload.reload(self)

    def signal(self, name: str, number: signals.Signals) -> None:
        """Sends a signal to a process, not to its children. One that dies of it is started again by supervisor."""
        self.supervisor.signal(name, number)

    def pid(self, name: str) -> int:
        """The id of a process, 0 while it does not run."""
        return self.supervisor.pid(name)

    def log(self, name: str) -> Path:
        """The log of a process."""
        return self.state.log / f"{name}.log"

    def wait_ready(self, name: str, seconds: float = 60) -> None:
        """Returns when the process does its work. Raises ``Problem`` with the end of its log when it does not."""
        wait.until(
            lambda: readiness.check(name, self.ports, self.supervisor),
            seconds=seconds,
            what=f"{name} to be ready",
            log=self.log(name),
            hopeless=lambda: self.supervisor.failed(name),
        )

    def manage(self, service: str, *words: str) -> None:
        """Runs a command of a service's `manage.py` as the shop's user. Raises ``Problem`` when it fails."""
        command = self.user.command(PYTHON, "manage.py", *words)
        if subprocess.run(command, cwd=ROOT / service, env=self.command_env(service), check=False).returncode:
            raise Problem(f"`manage.py {' '.join(words)}` of {service} failed, see above")

    def configuration(self) -> dict[Path, str]:
        """The files that say how the shop runs: those of supervisor, the environments, and the settings themselves."""
        files = {
            self.state.env / name: "".join(f"{key}={shlex.quote(value)}\n" for key, value in self.env(name).items())
            for name in self.table
        }
        kept = {name: value for name, value in self.settings.items() if name not in up.ONCE}
        files[self.state.run / "shop.json"] = json.dumps({"offset": self.offset, "settings": kept, "extra": self.extra})
        files[self.state.supervisor] = configuration(self.state, self.table.values())
        return files

    def write(self, files: Mapping[Path, str]) -> None:
        """Writes files that only the shop's user can read."""
        for path, text in files.items():
            self.user.write(path, text)
