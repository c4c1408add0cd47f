"""Where the databases are, and how the auditor signs in to them."""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

DATABASES = ("products", "stock", "customers", "cart", "orders", "testpay")
ROLE = "auditor"


class Unknown(Exception):
    """It is not said where a database is."""


def from_environment(root: Path, variables: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The URL of each database by its name. Raises ``Unknown`` with what to do.

    AUDIT_STOCK_URL and the like name a database each. What they leave out is found in the shop's secrets: in the folder
    AUDIT_SECRETS, or those of the local shop in COMPTOIR_STATE (default ``.local``).
    """
    given = {name: url for name in DATABASES if (url := variables.get(f"AUDIT_{name.upper()}_URL"))}
    if len(given) == len(DATABASES):
        return given
    state = Path(variables.get("COMPTOIR_STATE") or root / ".local")
    return of_secrets(Path(variables.get("AUDIT_SECRETS") or state / "secrets")) | given


def of_secrets(folder: Path) -> dict[str, str]:
    """The databases of the shop whose secrets are in ``folder``, as the read-only role ``auditor``."""
    try:
        password = (folder / f"{ROLE}_password").read_text()
        return {name: _as_auditor((folder / name / "url").read_text(), password) for name in DATABASES}
    except OSError as error:
        raise Unknown(
            f"no shop was found ({error.strerror}: {error.filename}): start one with `make up`,"
            " or name its state folder in COMPTOIR_STATE, or its databases in AUDIT_ORDERS_URL and so on"
        ) from None


def _as_auditor(url: str, password: str) -> str:
    parts = urlsplit(url)
    address = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{ROLE}:{quote(password, safe='')}@{address}"))
