"""The commands behind the Makefile. `up` makes .venv first; every command goes on inside it."""

import argparse
import os
import sys
from pathlib import Path

from local import ports, settings, venv
from local.problem import Problem

COMMANDS = {
    "up": "start the shop, with goods in it",
    "down": "stop it",
    "restart": "stop it and start it",
    "reload": "take new code and configuration without losing a request",
    "status": "show each process, its processor time and its memory",
    "logs": "follow all logs; REQUEST=<id> shows one request's way",
    "clean": "stop it and forget its data",
    "venv": "make .venv, with what development needs",
}


def main(words: list[str]) -> int:
    """Runs a command; the exit status."""
    options = _parser().parse_args(words)
    try:
        return _run(options, words)
    except Problem as problem:
        print(f"comptoir: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _run(options: argparse.Namespace, words: list[str]) -> int:
    if options.command == "venv":
        venv.ensure(development=True)
        return 0
    settings.check_place(options.state)
    if options.command in ("up", "restart"):
        settings.check(os.environ)
    if not venv.inside():
        _prepare(options)
        os.execv(venv.PYTHON, [str(venv.PYTHON), "-m", "local", *words])  # noqa: S606 - not even a subprocess
    from local import commands  # needs what .venv has

    return int(commands.BY_NAME[options.command](options))


def _prepare(options: argparse.Namespace) -> None:
    """.venv, after what can be seen to fail without it."""
    if options.command in ("up", "restart") and not (options.state / "run" / "supervisord.pid").exists():
        wanted = ports.resolve(os.environ, options.port_offset)
        ports.check_free(wanted, os.environ)
    venv.ensure()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description="Comptoir on this machine.")
    parser.add_argument(
        "command", choices=COMMANDS, help="; ".join(f"{name}: {what}" for name, what in COMMANDS.items())
    )
    parser.add_argument(
        "--state",
        type=lambda path: Path(path).absolute(),
        # COMPTOIR_STATE: the folder of all state.
        default=os.environ.get("COMPTOIR_STATE") or venv.ROOT / ".local",
        help="the folder of all state (COMPTOIR_STATE; default .local)",
    )
    parser.add_argument(
        "--port-offset",
        type=int,
        # PORT_OFFSET: what is added to every port that is not set by its own variable.
        default=os.environ.get("PORT_OFFSET") or 0,
        help="added to every default port (PORT_OFFSET; default 0)",
    )
    return parser
