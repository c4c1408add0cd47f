"""What the shop is made of: `make sbom` lists it, `make advisories` asks whether something of it is known to be weak.

python -m local.supply sbom | advisories
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from local.venv import PYTHON, ROOT

FOLDER = ROOT / "sbom"
SILENT = (
    "could not be audited",
    "ConnectionError",
    "Max retries exceeded",
    "Failed to establish",
    "ServiceError",
    "Timeout",
    "ProxyError",
)
"""What pip-audit says where nobody answers, which is no finding."""


def locked() -> list[Path]:
    """The files that pin every package, by folder."""
    return [ROOT / "requirements.txt", *sorted(ROOT.glob("*/requirements.txt")), ROOT / "requirements-dev.txt"]


def name(file: Path) -> str:
    """What a file's list is called: its folder, comptoir for local mode, development for tools."""
    if file.parent != ROOT:
        return file.parent.name
    return "development" if "dev" in file.name else "comptoir"


def sbom(folder: Path, files: list[Path]) -> list[Path]:
    """Writes a CycloneDX document for each pinned set of packages, with their hashes; returns the files."""
    folder.mkdir(exist_ok=True)
    made = [folder / f"{name(file)}.cdx.json" for file in files]
    for file, target in zip(files, made, strict=True):
        command = [PYTHON.parent / "cyclonedx-py", "requirements", file, "--of", "JSON", "--output-reproducible"]
        subprocess.run([*map(str, command), "--output-file", str(target)], check=True, stderr=subprocess.DEVNULL)
        print(f"{target.relative_to(folder.parent)}: {len(json.loads(target.read_text())['components'])} packages")
    return made


def advisories(files: list[Path]) -> int:
    """Asks the registry's advisory service; 1 where it knows of a weakness, 0 where not and where nobody answers."""
    with tempfile.TemporaryDirectory() as folder:
        together = Path(folder) / "requirements.txt"
        pins = sorted({pin for file in files for pin in re.findall(r"^[\w.-]+==[\w.+!]+", file.read_text(), re.M)})
        together.write_text("\n".join(pins))
        words = ["-r", str(together), "--disable-pip", "--no-deps", "--progress-spinner", "off", "--timeout", "10"]
        done = subprocess.run([str(PYTHON), "-m", "pip_audit", *words], capture_output=True, text=True, check=False)
    if any(word in done.stderr + done.stdout for word in SILENT):
        print("advisories: not checked, since the advisory service does not answer here")
        return 0
    print(f"{len(pins)} packages: {(done.stdout or done.stderr).strip()}")
    return int(done.returncode != 0)


def main(words: list[str]) -> int:
    """One of the two."""
    if words == ["sbom"]:
        sbom(FOLDER, locked())
        return 0
    if words == ["advisories"]:
        return advisories(locked())
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
