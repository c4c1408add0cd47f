"""supervisor keeps the processes alive; this starts it and talks to it. http://supervisord.org/api.html"""

import shlex
import subprocess
from collections.abc import Iterable
from http.client import HTTPException
from typing import Any
from xmlrpc.client import Fault, ServerProxy

from supervisor.xmlrpc import Faults, SupervisorTransport

from local import environment, wait
from local.problem import Problem
from local.processes import Process
from local.state import State
from local.user import User
from local.venv import PYTHON

STOP_SECONDS = 25
"""How long a process may take to finish what it has in hand; longer than gunicorn's own grace time."""
# The environment is read from a file at each start, so that it is private, and changes with a restart of one process.
_WITH_ENVIRONMENT = 'set -a; . "$0"; set +a; exec "$@"'


def configuration(state: State, table: Iterable[Process]) -> str:
    """supervisord.conf. Nothing starts by itself: `up` starts each process when its turn comes."""
    return "\n".join([_SERVER.format(socket=state.socket, state=state), *(_program(each, state) for each in table)])


_SERVER = """[supervisord]
directory = {state.folder}
pidfile = {state.run}/supervisord.pid
logfile = {state.log}/supervisord.log
logfile_maxbytes = 5MB
logfile_backups = 2
nocleanup = true
umask = 077

[unix_http_server]
file = {socket}
chmod = 0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
"""

_PROGRAM = """
[program:{name}]
command = {command}
directory = {folder}
autostart = false
autorestart = true
startsecs = 1
startretries = 30
priority = {order}
stopsignal = {stop_signal}
stopwaitsecs = {stop_seconds}
killasgroup = true
redirect_stderr = true
stdout_logfile = {log}
stdout_logfile_maxbytes = 10MB
stdout_logfile_backups = 3
"""


def _program(process: Process, state: State) -> str:
    words = ["/bin/sh", "-c", _WITH_ENVIRONMENT, str(state.env / process.name), *process.command]
    values = {
        "name": process.name,
        "command": shlex.join(words),
        "folder": process.folder,
        "order": process.order,
        "stop_signal": process.stop_signal,
        "stop_seconds": STOP_SECONDS,
        "log": state.log / f"{process.name}.log",
    }
    # supervisor expands %(…)s in values.
    return _PROGRAM.format(**{key: str(value).replace("%", "%%") for key, value in values.items()})


class Supervisor:
    """The supervisor of one shop."""

    def __init__(self, state: State) -> None:
        self._state = state

    def start(self, user: User) -> None:
        """Starts supervisord in the background, as ``user``. Raises ``Problem`` where it does not come up."""
        command = user.command(PYTHON, "-m", "supervisor.supervisord", "-c", self._state.supervisor)
        done = subprocess.run(
            command, env=environment.base(self._state), cwd="/", capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise Problem(f"supervisord did not start: {(done.stderr or done.stdout).strip()}")
        wait.until(self.alive, seconds=10, what="supervisord to answer", log=self._state.log / "supervisord.log")

    def alive(self) -> bool:
        """Whether it runs and answers."""
        try:
            return self._call("getState", ignore=Faults.SHUTDOWN_STATE) is not None
        except OSError:
            return False

    def own_pid(self) -> int:
        """supervisord's own process id."""
        return int(self._call("getPID"))

    def processes(self) -> dict[str, dict[str, Any]]:
        """What supervisor knows of each process: ``statename``, ``pid``, ``start`` (seconds), ``description`` …"""
        return {each["name"]: each for each in self._call("getAllProcessInfo")}

    def pid(self, name: str) -> int:
        """The process id, 0 where it does not run."""
        return int(self._call("getProcessInfo", name)["pid"])

    def failed(self, name: str) -> bool:
        """Whether the process ended as soon as it was started; supervisor tries again, with growing pauses."""
        return self._call("getProcessInfo", name)["statename"] in ("BACKOFF", "FATAL")

    def run(self, names: Iterable[str]) -> None:
        """Starts those that do not run, without waiting for them."""
        for name in names:
            self._call("startProcess", name, False, ignore=Faults.ALREADY_STARTED)

    def stop(self, names: Iterable[str]) -> None:
        """Stops them all at once and waits until the last one is gone."""
        names = list(names)
        for name in names:
            self._call("stopProcess", name, False, ignore=Faults.NOT_RUNNING)

        def gone() -> bool:
            known = self.processes()
            return all(not known[name]["pid"] for name in names)

        wait.until(gone, seconds=STOP_SECONDS + 10, what=f"{', '.join(names)} to stop")

    def signal(self, name: str, number: int) -> None:
        """Sends a signal to the process, not to its children."""
        self._call("signalProcess", name, str(number))

    def shutdown(self) -> None:
        """Ends supervisord, and in their order all processes that are left."""
        self._call("shutdown")

    def _call(self, method: str, *words: Any, ignore: int | None = None) -> Any:
        transport = SupervisorTransport(serverurl=f"unix://{self._state.socket}")
        try:
            return getattr(ServerProxy("http://localhost", transport=transport).supervisor, method)(*words)
        except Fault as fault:
            if fault.faultCode == ignore:
                return None
            raise Problem(f"supervisor: {method}({', '.join(map(str, words))}): {fault.faultString}") from None
        except HTTPException as error:
            raise ConnectionError(str(error)) from None
        finally:
            transport.close()
