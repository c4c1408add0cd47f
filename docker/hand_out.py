"""Docker's secrets: made once in one volume, then copied so that each container finds its own and no other's.

    python hand_out.py FOLDER

Runs before everything else, at every `up`. Each folder below FOLDER is a volume:

    all             what `python -m local.secrets` makes; only this container mounts it
    <service>       for a service's containers: its keys, its database's URL, the shop's address
    <service>-db    for its database server, and for the migrations, which use the owner's URL
    monitor         for the exporter of the databases' metrics
    staff           for the migrations: the staff account, while it has to be set; for welcome.py: what to say of it
"""

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from local import secrets
from local.user import myself

SERVERS = {service: [service] for service in secrets.SERVICES} | {"orders": ["orders", "testpay"]}
"""The database servers, and the databases of each."""
STAFF_EMAIL = "staff@example.com"
# Who may read a file is decided by who mounts its volume: database servers have another user than the services.
READABLE = 0o444


def hand_out(folder: Path, environ: Mapping[str, str]) -> None:
    """Makes what is missing and brings every volume up to date; what is there already stays."""
    everything = folder / "all"
    # DATABASE_TLS: on or off (default). Clients find the servers' certificate in their volume.
    tls = f"/secrets/{secrets.CERTIFICATE}" if environ.get("DATABASE_TLS") == "on" else ""
    secrets.generate(everything, "{name}-db:5432", myself(), tls)
    for target, source in parcels():
        _put(folder / target, (everything / source).read_text())
    # PUBLIC_URL, GATEWAY_PORT: a file, because Compose 1.29 knows no default that has a variable in it.
    address = environ.get("PUBLIC_URL") or f"http://localhost:{environ.get('GATEWAY_PORT') or 8080}"
    for volume in (*secrets.SERVICES, "staff"):
        _put(folder / volume / "public_url", address)
    _staff(folder / "staff", everything / "staff_password", environ)


def parcels() -> Iterator[tuple[str, str]]:
    """Each file to copy: where to, below FOLDER, and where from, below ``all``."""
    for service in secrets.SERVICES:
        for name in ("secret_key", "service_key.pem", "url"):
            yield f"{service}/{name}", f"{service}/{name}"
        for name in ("service_jwks.json", secrets.CERTIFICATE):
            yield f"{service}/{name}", name
        oidc = "oidc_clients.json" if service == "customers" else "oidc_client_secret"
        yield f"{service}/{oidc}", f"{service}/{oidc}"
    yield "testpay/url", "testpay/url"
    yield f"testpay/{secrets.CERTIFICATE}", secrets.CERTIFICATE
    yield "monitor/monitor_password", "monitor_password"
    for customer in ("orders", "testpay"):
        yield f"{customer}/payment_secret", "payment_secret"
    for server, databases in SERVERS.items():
        for name in ("superuser_password", "auditor_password", "monitor_password"):
            yield f"{server}-db/{name}", name
        for name in (secrets.CERTIFICATE, "database_tls.key"):
            yield f"{server}-db/{name}", name
        yield f"{server}-db/owner_url", f"{server}/owner_url"
        for database in databases:
            for name in ("password", "owner_password"):
                yield f"{server}-db/{database}/{name}", f"{database}/{name}"


def _staff(folder: Path, password: Path, environ: Mapping[str, str]) -> None:
    """The staff account is set once, and when STAFF_EMAIL or STAFF_PASSWORD ask for it: changes in the shop stay.

    `account`, the e-mail address, is written by welcome.py: only then the account has been set everywhere.
    """
    account = folder / "account"
    known = account.read_text() if account.exists() else None
    email = environ.get("STAFF_EMAIL") or known or STAFF_EMAIL
    if given := environ.get("STAFF_PASSWORD"):
        myself().write(password, given)
    if given or email != known:
        # Forgotten until it is done, so that an interrupted `up` sets it the next time.
        account.unlink(missing_ok=True)
        _put(folder / "email", email)
        _put(folder / "password", password.read_text())
        secret = "in STAFF_PASSWORD" if given else password.read_text()
        _put(folder / "notice", f"{email} with the password {secret}")
    else:
        _put(folder / "email", "")
        _put(folder / "password", "")
        _put(folder / "notice", f"{email} with the password that was set before")


def _put(path: Path, text: str) -> None:
    if not path.exists() or path.read_text() != text:
        myself().folder(path.parent, mode=0o755)
        myself().write(path, text, mode=READABLE)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    hand_out(Path(sys.argv[1]), os.environ)
    print("secrets: made or found, and handed out")
