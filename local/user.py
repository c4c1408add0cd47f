"""Who runs the shop. PostgreSQL refuses root, so under root everything runs as another user, through setpriv."""

import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from local.problem import Problem

# The right to read everywhere. access(2), which PostgreSQL uses, knows of it only with the secure bit: capabilities(7).
_READ_ANYWHERE = (
    "--inh-caps=+dac_read_search",
    "--ambient-caps=+dac_read_search",
    "--securebits=+no_setuid_fixup",
)
_LOOK = """
import os, ssl, sys
root, *folders = sys.argv[1:]
sys.path.insert(0, root)
import local.problem
sys.exit(not os.access(local.problem.__file__, os.R_OK) or not all(os.access(each, os.X_OK) for each in folders))
"""


@dataclass(frozen=True)
class User:
    """An account, what to put before a command to run it as that account, and files that belong to it."""

    uid: int
    gid: int
    prefix: tuple[str, ...] = ()

    def command(self, *words: str | Path) -> list[str]:
        """The command line that runs ``words`` as this user."""
        return [*self.prefix, *map(str, words)]

    def folder(self, path: Path, mode: int = 0o700) -> Path:
        """Makes the folder, with those above it that are missing; all that it makes belongs to this user."""
        if not path.is_dir():
            self.folder(path.parent, mode=0o755)
            path.mkdir(mode=mode, exist_ok=True)
            os.chown(path, self.uid, self.gid)
        return path

    def write(self, path: Path, text: str, mode: int = 0o600) -> None:
        """Writes a file that only this user can read, in one step: a reader sees all or nothing of it."""
        descriptor, name = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            os.fchmod(descriptor, mode)
            os.fchown(descriptor, self.uid, self.gid)
        Path(name).replace(path)


def myself() -> User:
    """The account that runs this process."""
    return User(os.getuid(), os.getgid())


def runner(root: Path, python: Path, state: Path) -> User:
    """The account that the shop of the clone at ``root`` runs as: this one, unless it is root.

    Under root it is the owner of the state folder, of the clone, or nobody. Where that account may not enter what
    is above those or the interpreter (a clone below /root, say), its processes are allowed to read everywhere.
    """
    if os.geteuid() != 0:
        return myself()
    if not shutil.which("setpriv"):
        raise Problem("root needs the program setpriv (util-linux) to run PostgreSQL as another user: install it")
    uid, gid = _unprivileged(state, root)
    switch = ("setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups")
    for prefix in (switch, (*switch, *_READ_ANYWHERE)):
        if _reads(prefix, python, root, state):
            return User(uid, gid, prefix)
    raise Problem(
        f"user {uid}, who would run the shop for root, may not read {root}: move the clone, to /srv for example"
    )


def _unprivileged(*folders: Path) -> tuple[int, int]:
    owners = [folder.stat() for folder in folders if folder.exists()]
    for owner in owners:
        if owner.st_uid != 0:
            return owner.st_uid, owner.st_gid
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        return 65534, 65534
    return nobody.pw_uid, nobody.pw_gid


def _reads(prefix: tuple[str, ...], python: Path, root: Path, state: Path) -> bool:
    existing = next(folder for folder in state.parents if folder.is_dir())
    # Through a shell: setpriv still has root's rights when it looks up the program that it turns into.
    look = 'cd / && exec "$0" -c "$@"'
    command = [*prefix, "sh", "-c", look, str(python), _LOOK, str(root), str(existing)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
