"""The environment in which a service's tests, type checks and generators run: nothing that exists is reached by it."""

import os

SERVICES = ("products", "stock", "customers", "cart", "orders")
_NOWHERE = "http://127.0.0.1:9"  # the discard port: nothing answers


def apply(database_url: str = "postgres://nobody@127.0.0.1:9/none") -> None:
    """Sets each variable that a service reads and that is not set yet."""
    defaults = {
        "DJANGO_ENV": "test",
        "SECRET_KEY": "a key for tests only",
        "DATABASE_URL": database_url,
        "SERVICE_KEY": "tests bring a key of their own",
        "SERVICE_JWKS": '{"keys": []}',
        "OIDC_CLIENT_SECRET": "a client secret for tests only",
        "PAYMENT_SECRET": "a secret for tests only",
        "JWKS_URL": f"{_NOWHERE}/jwks.json",
        "LOG_LEVEL": "ERROR",
        "EMAIL_URL": "memorymail://",
    } | {f"{name.upper()}_URL": _NOWHERE for name in (*SERVICES, "payment")}
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
