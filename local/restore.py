"""`make restore`: puts a backup in the place of the shop's databases, all of them or none.

BACKUP: the backup's folder (default: the newest one). DATABASES: only these, as in `DATABASES="stock cart"`. YES=1 does
not ask. The dumps are read into new databases first, while the shop sells on; then the services stop, all names change
in one transaction, and the services start. What was there before stays as <name>_replaced until the next restore.
"""

import json
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from local import postgres, servers
from local.backup import MANIFEST, digest, home, state
from local.problem import Problem
from local.secrets import DATABASES
from local.servers import Servers


def main() -> int:
    """Asks, restores, and says what to do next."""
    try:
        folder = Path(os.environ.get("BACKUP") or newest(home())).absolute()
        names = os.environ.get("DATABASES", "").split() or list(DATABASES)
        check(folder, names)
        where = servers.found(state())
        if not os.environ.get("YES") and not _agreed(folder, names):
            print("nothing was changed")
            return 1
        restore(where, folder, names, say=lambda line: print(f"  {line}", flush=True))
    except Problem as problem:
        print(f"restore: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("restore: interrupted; if the services are away, `make restore` or `make up` brings them back")
        return 130
    print("restored. Next: `make audit` says what does not fit together, `make reconcile` repairs it.")
    return 0


def newest(home: Path) -> Path:
    """The newest whole backup. Raises ``Problem`` where there is none."""
    found = sorted(path.parent for path in home.glob(f"*/{MANIFEST}") if not path.parent.name.startswith("."))
    if not found:
        raise Problem(f"there is no backup in {home}: name one, as in `make restore BACKUP=path`")
    return found[-1]


def check(folder: Path, names: Sequence[str]) -> None:
    """Raises ``Problem`` unless the folder has a whole dump of each of these databases."""
    if unknown := set(names) - set(DATABASES):
        raise Problem(f"there is no database {', '.join(sorted(unknown))}: choose from {' '.join(DATABASES)}")
    try:
        dumps = json.loads((folder / MANIFEST).read_text())["databases"]
        for name in names:
            if digest(folder / dumps[name]["file"]) != dumps[name]["sha256"]:
                raise Problem(f"{folder / dumps[name]['file']} is damaged: its checksum is not the manifest's")
    except (OSError, ValueError, KeyError) as error:
        raise Problem(f"{folder} is not a whole backup: {error}") from None


def restore(where: Servers, folder: Path, names: Sequence[str], say: Any = lambda line: None) -> None:
    """Replaces the databases by those of the backup. Until the names change, a failure leaves the shop as it was."""
    notes = {name: dump["note"] for name, dump in json.loads((folder / MANIFEST).read_text())["databases"].items()}
    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(_load, where, folder / f"{name}.dump", name, notes[name]) for name in names]
        for turn, job in enumerate(as_completed(jobs), start=1):
            say(f"{turn}/{len(names)} {job.result()}")
    begin = time.monotonic()
    where.stop()
    try:
        for together in where.together(names):
            _swap(where, together)
    finally:
        where.start()
    say(f"the services were away for {time.monotonic() - begin:.1f} s")


def _load(where: Servers, dump: Path, name: str, note: str) -> str:
    begin, new = time.monotonic(), f"{name}_restored"
    _psql(where, name, f"DROP DATABASE IF EXISTS {new} WITH (FORCE)")
    # As postgres/sql/database.sql makes it.
    _psql(
        where,
        name,
        f"CREATE DATABASE {new} OWNER {name}_owner TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"
        " LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'",
        f"REVOKE ALL ON DATABASE {new} FROM PUBLIC",
        *([f"COMMENT ON DATABASE {new} IS '{note}'"] if note.isalnum() else []),
    )
    with dump.open("rb") as file:
        where.run(name, "pg_restore", "--exit-on-error", "--no-password", f"--dbname={new}", stdin=file)
    _psql(where, name, postgres.ANALYZE, database=new)
    return f"{name} ({time.monotonic() - begin:.1f} s)"


def _swap(where: Servers, names: Sequence[str]) -> None:
    """One transaction changes all names. Whoever is still connected, a monitor or a person, is sent away."""
    _psql(where, names[0], *(f"DROP DATABASE IF EXISTS {name}_replaced WITH (FORCE)" for name in names))
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'"
    _psql(
        where,
        names[0],
        *(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false" for name in names),
        *(end.format(database) for name in names for database in (name, f"{name}_restored")),
    )
    renames = [f"ALTER DATABASE {name} RENAME TO {name}_replaced" for name in names]
    renames += [f"ALTER DATABASE {name}_restored RENAME TO {name}" for name in names]
    try:
        _psql(where, names[0], f"BEGIN; {'; '.join(renames)}; COMMIT")
    except Problem:
        _psql(where, names[0], *(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true" for name in names))
        raise


def _psql(where: Servers, name: str, *statements: str, database: str = "postgres") -> str:
    commands = [word for statement in statements for word in ("-c", statement)]
    return where.run(name, "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", database, *commands)


def _agreed(folder: Path, names: Sequence[str]) -> bool:
    print(f"This replaces {', '.join(names)} by what was saved in {folder.name}.")
    try:
        return input("Type yes to go on: ").strip() == "yes"
    except EOFError:
        raise Problem("nobody answered: YES=1 restores without asking") from None


if __name__ == "__main__":
    sys.exit(main())
