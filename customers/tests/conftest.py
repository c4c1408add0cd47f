"""What the tests of this service share. Tokens are the service's own here: signed with keys of its own database."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from chassis import tokens
from joserfc.jwk import RSAKey

from customers.domain import keys, sessions
from customers.models import Customer

CUSTOMERS = "/api/v1/customers"
PASSWORD = "a horse, a staple"
_RSA = RSAKey.generate_key(2048, private=True)


@pytest.fixture(autouse=True)
def _cheap_and_clean(settings, monkeypatch, _known_keys):
    """Cheap hashes, one RSA key for all tests, and nothing remembered of the test before."""
    settings.PASSWORD_HASHERS = ["tests.hashers.Cheap"]
    monkeypatch.setattr(keys, "generate", lambda: _RSA)
    monkeypatch.setattr(tokens, "customer_keys", keys.published)
    keys.published().forget()
    yield
    keys.published().forget()


@pytest.fixture
def customer(db: None) -> Callable[..., Customer]:
    """``customer("a@example.org")``: an account with the password ``PASSWORD``."""

    def make(email: str = "ann@example.org", **fields: Any) -> Customer:
        return Customer.objects.create_user(email, PASSWORD, **{"name": "Ann"} | fields)

    return make


def bearer(customer: Customer) -> dict[str, str]:
    """The Authorization header of an account."""
    return {"Authorization": f"Bearer {sessions.access_token(customer)}"}


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows by one with each password that is really hashed."""
    from tests.hashers import Cheap

    done: list[str] = []
    for name in ("encode", "verify"):
        real = getattr(Cheap, name)

        def counting(self: Any, *args: Any, _real: Any = real, _name: str = name, **kwargs: Any) -> Any:
            done.append(_name)
            return _real(self, *args, **kwargs)

        monkeypatch.setattr(Cheap, name, counting)
    return done


def token_of_mail(mail: Any) -> str:
    """The token in a mail's link, or its code: the one word of 43 characters."""
    (token,) = re.findall(r"(?<![\w-])[\w-]{43}(?![\w-])", mail.body)
    return str(token)
