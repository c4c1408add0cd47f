"""The shop's secrets, made once: each a file of its own that only the shop's user can read.

    python -m local.secrets FOLDER [ADDRESS]      the same for Docker's one-shot container

ADDRESS is where a database is reached, `{name}` standing for its name, as in `{name}-db:5432`. Below FOLDER:

    superuser_password, auditor_password, monitor_password      roles of the whole server
    service_jwks.json                             the public keys of all services (RFC 7517), kid = the service
    payment_secret                                shared by orders and the test payment provider
    staff_password                                the first staff account's
    <service>/secret_key, service_key.pem         Django's key, and the service's own private key
    <service>/oidc_client_secret                  with which it proves itself to the staff's sign-in, in customers
    customers/oidc_clients.json                   the same of all, for customers
    database_tls.crt, database_tls.key            the database servers' certificate, with which DATABASE_TLS=on works
    <database>/password, owner_password           the two roles of a database
    <database>/url, owner_url                     the same as URLs, for DATABASE_URL_FILE and DATABASE_OWNER_URL_FILE
"""

import json
import secrets
import sys
from pathlib import Path

from joserfc.jwk import Key, KeySet, RSAKey

from local.certificate import self_signed
from local.user import User, myself

SERVICES = ("products", "stock", "customers", "cart", "orders")
OIDC_CLIENTS = tuple(service for service in SERVICES if service != "customers")
"""The services whose staff sign in at the customers service."""
DATABASES = (*SERVICES, "testpay")
KEY_BITS = 2048


CERTIFICATE = "database_tls.crt"


def generate(folder: Path, address: str, owner: User, tls: str = "") -> None:
    """Makes what is missing and keeps what is there, except the database URLs, which follow ``address`` and ``tls``.

    ``tls``: where the databases' clients find the servers' certificate, for connections that are encrypted and whose
    servers have proven who they are; empty for plain ones.
    """
    owner.folder(folder)
    for name in ("superuser_password", "auditor_password", "monitor_password", "payment_secret"):
        _keep(folder / name, secrets.token_urlsafe(32), owner)
    _keep(folder / "staff_password", secrets.token_urlsafe(12), owner)
    for service in SERVICES:
        owner.folder(folder / service)
        _keep(folder / service / "secret_key", secrets.token_urlsafe(48), owner)
        _keep_key(folder / service / "service_key.pem", owner)
    for service in OIDC_CLIENTS:
        _keep(folder / service / "oidc_client_secret", secrets.token_urlsafe(32), owner)
    owner.write(folder / "customers" / "oidc_clients.json", _client_secrets(folder))
    owner.write(folder / "service_jwks.json", _public_keys(folder))
    for database in DATABASES:
        _database(owner.folder(folder / database), address.format(name=database), owner, tls)
    _certificate(folder, owner)


def _keep(path: Path, text: str, owner: User) -> None:
    if not path.exists():
        owner.write(path, text)


def _keep_key(path: Path, owner: User) -> None:
    if not path.exists():
        owner.write(path, RSAKey.generate_key(KEY_BITS).as_pem(private=True).decode())


def _public_keys(folder: Path) -> str:
    keys: list[Key] = [
        RSAKey.import_key(
            (folder / service / "service_key.pem").read_text(), {"kid": service, "use": "sig", "alg": "RS256"}
        )
        for service in SERVICES
    ]
    return json.dumps(KeySet(keys).as_dict(private=False))


def _client_secrets(folder: Path) -> str:
    return json.dumps({service: (folder / service / "oidc_client_secret").read_text() for service in OIDC_CLIENTS})


def _certificate(folder: Path, owner: User) -> None:
    if not (folder / CERTIFICATE).exists():
        names = ["localhost", "127.0.0.1", *(f"{name}-db" for name in DATABASES)]
        certificate, key = self_signed(names)
        owner.write(folder / "database_tls.key", key)
        owner.write(folder / CERTIFICATE, certificate)


def _database(folder: Path, address: str, owner: User, tls: str) -> None:
    name, options = folder.name, f"?sslmode=verify-full&sslrootcert={tls}" if tls else ""
    for role, prefix in ((name, ""), (f"{name}_owner", "owner_")):
        _keep(folder / f"{prefix}password", secrets.token_urlsafe(32), owner)
        password = (folder / f"{prefix}password").read_text()
        owner.write(folder / f"{prefix}url", f"postgres://{role}:{password}@{address}/{name}{options}")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    generate(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) == 3 else "{name}-db:5432", myself())
