"""The folder that holds everything a shop of local mode knows: .local of the clone, unless told otherwise."""

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.problem import Problem
from local.user import User

# A unix socket's path has room for 107 characters; supervisor binds `<path>.<pid>` first and renames it.
_SOCKET_PATH_LIMIT = 107 - len(".4194304")


@dataclass(frozen=True)
class State:
    """The places below the state folder. Nothing of a shop is elsewhere, but for the socket of a very long path."""

    folder: Path

    @property
    def secrets(self) -> Path:
        """Passwords and keys, one a file."""
        return self.folder / "secrets"

    @property
    def env(self) -> Path:
        """The environment of each process, as a file for the shell."""
        return self.folder / "env"

    @property
    def run(self) -> Path:
        """What only matters while the shop runs: pid files, sockets, metrics, rendered configuration."""
        return self.folder / "run"

    @property
    def log(self) -> Path:
        """The log of each process."""
        return self.folder / "log"

    @property
    def media(self) -> Path:
        """The pictures of the goods."""
        return self.folder / "media"

    @property
    def mail(self) -> Path:
        """The mails of the shop, unless EMAIL_URL sends them elsewhere."""
        return self.folder / "mail"

    @property
    def postgres(self) -> Path:
        """PostgreSQL's data."""
        return self.folder / "postgres"

    @property
    def gateway(self) -> Path:
        """nginx's configuration, rendered."""
        return self.run / "gateway"

    @property
    def supervisor(self) -> Path:
        """supervisor's configuration."""
        return self.run / "supervisord.conf"

    @property
    def socket(self) -> Path:
        """supervisor's control socket."""
        path = self.run / "supervisor.sock"
        if len(bytes(path)) <= _SOCKET_PATH_LIMIT:
            return path
        name = hashlib.sha256(bytes(self.folder)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"comptoir-{name}" / "supervisor.sock"

    def create(self, owner: User) -> None:
        """Makes the folders, private to the shop's user."""
        self._own(owner)
        for path in (self.secrets, self.env, self.run, self.log, self.media, self.mail, self.socket.parent):
            owner.folder(path)

    def _own(self, owner: User) -> None:
        """Makes the folder, or takes one that root made, unless somebody else has anything in it."""
        uid = owner.folder(self.folder).stat().st_uid
        if uid == owner.uid or os.geteuid() != 0:  # whether anybody else may write there: local/settings.py
            return
        if any(each.lstat().st_uid != owner.uid for each in self.folder.iterdir()):
            raise Problem(
                f"{self.folder} belongs to user {uid}, and the shop runs as user {owner.uid}: name another folder "
                "in COMPTOIR_STATE, one that is not there yet for example"
            )
        os.chown(self.folder, owner.uid, owner.gid)

    @contextmanager
    def locked(self, owner: User) -> Iterator[None]:
        """Holds the state folder for one `up` at a time. Raises ``Problem`` while another one has it."""
        self._own(owner)
        path = owner.folder(self.run) / "lock"
        if not path.exists():
            owner.write(path, "")
        with path.open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Problem(f"another `make up` works on {self.folder} right now: wait for it") from None
            yield
