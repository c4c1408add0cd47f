"""``python -m chassis.testing.lint``: everything about a service's code that can be said without running its tests."""

import subprocess
import sys
import tempfile
from pathlib import Path

from chassis.testing import environment

# Without a database there is no migration history to compare with, which makemigrations warns of.
_MANAGE = [sys.executable, "-W", "ignore::RuntimeWarning", "-m", "chassis.testing.manage"]


def main() -> int:
    """Format, lint, types, import contracts, migrations and the OpenAPI document; the number of checks that failed."""
    environment.apply()
    folder = str(Path(sys.executable).parent)
    checks = [
        [f"{folder}/ruff", "format", "--check", "--quiet", "."],
        [f"{folder}/ruff", "check", "--quiet", "."],
        [f"{folder}/mypy"],
        [f"{folder}/lint-imports"],
    ]
    if Path("manage.py").exists():
        checks += [[*_MANAGE, "makemigrations", "--check", "--dry-run"], [*_MANAGE, "check"]]
    failed = [check for check in checks if subprocess.run(check, check=False).returncode]
    for check in failed:
        print("failed:", *check, file=sys.stderr)
    return len(failed) + (_openapi_differs() if Path("openapi.yaml").exists() else 0)


def _openapi_differs() -> int:
    """The committed openapi.yaml is what the code says, or 1 with the way to make it so."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "openapi.yaml"
        command = [*_MANAGE, "spectacular", "--validate", "--fail-on-warn", "--file", str(fresh)]
        if subprocess.run(command, check=False).returncode or fresh.read_bytes() != Path("openapi.yaml").read_bytes():
            print("failed: openapi.yaml is not what the code says: make openapi", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
