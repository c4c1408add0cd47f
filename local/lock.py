"""`make lock`: pins every dependency with its hashes, the same release of a package in every requirements.txt.

UPGRADE=1 takes the newest releases that fit; without it, pins that still fit stay.
"""

import os
import subprocess
import tempfile
import tomllib
from pathlib import Path

from local.venv import PYTHON, ROOT

# One file for all systems and Pythons from 3.11 on. No index, no link and no path gets into a file; the chassis is
# installed from its folder.
OPTIONS = ("--quiet", "--universal", "--python-version", "3.11", "--no-emit-package", "chassis", "--no-header")
DEVELOPMENT = ("--group", "pyproject.toml:dev")
TRACES = ("chassis/pyproject.toml", "--extra", "traces")


def main() -> None:
    """Resolves everything together at first, so that all files agree, then writes each."""
    projects = [
        path.relative_to(ROOT)
        for path in (ROOT / "pyproject.toml", *sorted(ROOT.glob("*/pyproject.toml")))
        if _has_pins(path)
    ]
    with tempfile.TemporaryDirectory() as folder:
        together = Path(folder) / "together.txt"
        if not os.environ.get("UPGRADE"):
            pins = sorted([*ROOT.glob("requirements*.txt"), *ROOT.glob("*/requirements*.txt")])
            together.write_text("".join(path.read_text() for path in pins))
        _compile(together, *map(str, projects), *DEVELOPMENT, *TRACES)
        for project in projects:
            _compile(project.with_name("requirements.txt"), str(project), "--constraint", str(together), hashes=True)
        traces = Path("chassis/requirements-traces.txt")
        _compile(traces, *TRACES, "--constraint", str(together), hashes=True)
        _compile(Path("requirements-dev.txt"), *DEVELOPMENT, "--constraint", str(together), hashes=True)


def _has_pins(path: Path) -> bool:
    """Whether a project is run from here with pinned dependencies: not the chassis, which is part of its services."""
    project = tomllib.loads(path.read_text()).get("project", {})
    return "dependencies" in project and project["name"] != "chassis"


def _compile(target: Path, *words: str, hashes: bool = False) -> None:
    annotation = ["--generate-hashes", "--no-annotate"] if hashes else []
    command = [str(PYTHON), "-m", "uv", "pip", "compile", *OPTIONS, *annotation, "--output-file", str(target), *words]
    subprocess.run(command, cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
