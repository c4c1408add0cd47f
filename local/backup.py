"""`make backup`: a dump of every database, all begun at the same moment, in a folder that is whole or not there.

BACKUPS: the folder of all backups (default backups/). COMPOSE: see servers.py. Not in a backup: the secrets, the
pictures below media/, mails; copy .local/secrets and .local/media (in Docker: their volumes) as well.
"""

import hashlib
import json
import os
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local import servers
from local.problem import Problem
from local.secrets import DATABASES
from local.servers import Servers
from local.venv import FOLDER, ROOT

MANIFEST = "manifest.json"


def main() -> int:
    """Makes a backup of the running shop and names it."""
    try:
        folder = backup(servers.found(state()), home(), say=lambda line: print(f"  {line}", flush=True))
    except Problem as problem:
        print(f"backup: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("backup: interrupted, nothing is kept", file=sys.stderr)
        return 130
    print(f"{folder}")
    return 0


def state() -> Path:
    """The state folder of the local shop: COMPTOIR_STATE, or .local."""
    return Path(os.environ.get("COMPTOIR_STATE") or ROOT / ".local").absolute()


def home() -> Path:
    """The folder of all backups."""
    return Path(os.environ.get("BACKUPS") or ROOT / "backups").absolute()


def backup(where: Servers, home: Path, say: Any = lambda line: None) -> Path:
    """Dumps every database into a new folder below ``home``, named after the time; that folder. Raises ``Problem``."""
    began = datetime.now(UTC)
    folder = home / began.strftime("%Y%m%dT%H%M%S.%fZ")
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    unfinished.mkdir(parents=True, mode=0o700)
    try:
        # All at once: the databases do not know of each other, so what lies between their moments has to be reconciled.
        with ThreadPoolExecutor(len(DATABASES)) as pool:
            jobs = [pool.submit(_dump, where, name, unfinished) for name in DATABASES]
            dumps: dict[str, Any] = {}
            for job in as_completed(jobs):
                name, facts = job.result()
                dumps[name] = facts
                size = facts["bytes"] / 1024
                say(f"{len(dumps)}/{len(DATABASES)} {name}: {size:,.0f} KiB ({facts['seconds']:.1f} s)")
        manifest = {"created": began.isoformat(), "databases": dict(sorted(dumps.items()))}
        (unfinished / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
        unfinished.rename(folder)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return folder


def _dump(where: Servers, name: str, folder: Path) -> tuple[str, dict[str, Any]]:
    path, begin = folder / f"{name}.dump", time.monotonic()
    began = datetime.now(UTC)
    with path.open("wb") as file:
        where.run(name, "pg_dump", "--format=custom", "--no-password", f"--dbname={name}", stdout=file)
        os.fsync(file.fileno())
    facts = {"file": path.name, "bytes": path.stat().st_size, "sha256": digest(path), "began": began.isoformat()}
    return name, facts | {"seconds": round(time.monotonic() - begin, 2), "note": _note(where, name)}


def _note(where: Servers, name: str) -> str:
    """By which code the database was prepared (prepare.py): unless it changes, a restored one need not be migrated."""
    query = f"SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '{name}'"  # noqa: S608
    return where.run(name, "psql", "-XqAt", "-d", "postgres", "-c", query).strip()


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    if Path(sys.prefix).resolve() != FOLDER.resolve():
        sys.exit("backup: run it by `make backup`")
    sys.exit(main())
