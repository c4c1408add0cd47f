"""What runs: the service's version, a digest of its code, and what it stands on. A new digest is a deploy."""

import hashlib
import platform
from pathlib import Path

import django
from prometheus_client import Gauge

# `livemax`: told by each worker of itself, so that a reload shows the new code and forgets the old.
INFO = Gauge(
    "comptoir_build_info",
    "Always 1: what this instance runs.",
    ["code", "chassis", "python", "django"],
    multiprocess_mode="livemax",
)


def tell(folder: Path) -> None:
    """Sets the gauge for the service whose code is in ``folder``."""
    INFO.labels(code(folder), _chassis_version(), platform.python_version(), django.get_version()).set(1)


def code(folder: Path) -> str:
    """Twelve hex digits that change with any Python file of the service or of the chassis."""
    digest = hashlib.sha256()
    for base in (folder, Path(__file__).parent):
        for path in sorted(base.rglob("*.py")):
            name = path.relative_to(base)
            if "tests" not in name.parts:
                digest.update(f"{name}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _chassis_version() -> str:
    from chassis import __version__

    return __version__
