"""The virtual environment .venv: made once, and again only for what changed. Runs under the system's Python."""

import fcntl
import hashlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from local.problem import Problem

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".venv"
PYTHON = FOLDER / "bin" / "python"


def inside() -> bool:
    """Whether this process runs in .venv."""
    return Path(sys.prefix).resolve() == FOLDER.resolve()


def installed() -> str:
    """Changes whenever other packages are installed for the shop."""
    return (FOLDER / "shop.stamp").read_text()


def ensure(*, development: bool = False) -> None:
    """Brings .venv up to date with the requirements files, and installs the chassis from its folder, editable.

    Raises ``Problem`` where Python lacks what a virtual environment needs, or where pip fails.
    """
    _create()
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _install_all(development)


def _install_all(development: bool) -> None:
    _install("shop", [ROOT / "requirements.txt", *sorted(ROOT.glob("*/requirements.txt"))])
    if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        _install("traces", [ROOT / "chassis" / "requirements-traces.txt"])
    if development:
        _install("development", [ROOT / "requirements-dev.txt"])


def _create() -> None:
    done = FOLDER / "created.stamp"
    if PYTHON.exists() and done.exists():
        return
    if importlib.util.find_spec("ensurepip") is None:
        version = "{}.{}".format(*sys.version_info)
        raise Problem(
            f"this Python has no venv: install it, as in `apt-get install python{version}-venv`, and try again"
        )
    print(f"virtual environment .venv (Python {sys.version.split()[0]})", flush=True)
    # Not cleared, unless its Python is gone: an interrupted call is completed, and packages that are there stay.
    _run([sys.executable, "-m", "venv", *([] if PYTHON.exists() else ["--clear"]), str(FOLDER)])
    done.touch()


def _install(name: str, files: list[Path]) -> None:
    """pip installs the pinned packages of these files, all in one call, unless it did so before."""
    fingerprint = _fingerprint([*files, ROOT / "chassis" / "pyproject.toml"])
    stamp = FOLDER / f"{name}.stamp"
    if stamp.exists() and stamp.read_text() == fingerprint:
        return
    # The files pin every package: there is nothing left to resolve.
    pins = [word for file in files for word in ("-r", str(file))]
    _pip(f"{name} packages from PyPI", "--require-hashes", "--no-deps", *pins)
    if name == "shop":
        _pip("chassis", "--no-deps", "--no-build-isolation", "-e", str(ROOT / "chassis"))
    stamp.write_text(fingerprint)


def _fingerprint(files: Iterable[Path]) -> str:
    # The folder belongs to it: scripts and the editable chassis name it, so a clone that moved is installed anew.
    digest = hashlib.sha256(str(FOLDER).encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _pip(what: str, *options: str) -> None:
    print(f"  installing {what}", flush=True)
    _run([str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *options])


def _run(command: list[str]) -> None:
    environment = os.environ | {"PIP_ROOT_USER_ACTION": "ignore"}
    # Programs that only root may execute would be of no use to the user who runs the shop for root.
    if subprocess.run(command, check=False, env=environment, umask=0o022).returncode:
        raise Problem(f"{' '.join(command[:4])} … failed, see above: nothing was started")
