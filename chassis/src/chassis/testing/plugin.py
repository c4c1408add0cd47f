"""The pytest plugin of every service (``-p chassis.testing.plugin``): environment, database, tokens, client.

What Django reads at import has to be there before pytest-django loads the settings, so it is set when this is imported.
With pytest-xdist the controller starts the server and the workers inherit its address.
"""

import os
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from chassis.testing import environment, postgres, tokens

_MARK = "COMPTOIR_TEST_POSTGRES"


def _prepare() -> None:
    if _MARK not in os.environ:
        os.environ[_MARK] = postgres.start()
        keys = [tokens.new_key(name) for name in environment.SERVICES]
        os.environ["TEST_SERVICE_KEYS"] = "\n".join(key.as_pem(private=True).decode() for key in keys)
        os.environ["SERVICE_JWKS"] = tokens.public(*keys)
        os.environ["TEST_CUSTOMERS_KEY"] = tokens.new_key("test").as_pem(private=True).decode()
    environment.apply(f"{os.environ[_MARK]}/postgres")


_prepare()


@pytest.fixture(scope="session", autouse=True)
def _one_application() -> Iterator[None]:
    """All test clients share one chain of middleware, as all requests of a process do.

    To make one reads the names of all static files, which took longer than most tests.
    """
    from django.test.client import ClientHandler

    load = ClientHandler.load_middleware
    made: dict[str, Any] = {}

    def once(handler: ClientHandler, is_async: bool = False) -> None:
        if not made:
            load(handler, is_async)
            made.update({name: value for name, value in vars(handler).items() if name.startswith("_")})
        vars(handler).update(made)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ClientHandler, "load_middleware", once)
        yield


class StaticKeys:
    """Stands where the fetched key set stands; fetching has tests of its own."""

    def __init__(self, *keys: RSAKey) -> None:
        self._keys = {str(key.kid): key for key in keys}

    def get(self, kid: str) -> RSAKey | None:
        """The key with that id."""
        return self._keys.get(kid)


@pytest.fixture(scope="session")
def customers_key() -> RSAKey:
    """The key with which the tests' access tokens are signed."""
    return RSAKey.import_key(os.environ["TEST_CUSTOMERS_KEY"], parameters={"kid": "test"})


@pytest.fixture(scope="session")
def service_private_keys() -> dict[str, RSAKey]:
    """Each service's private key by name."""
    end = "-----END PRIVATE KEY-----"
    pems = [pem.strip() + "\n" + end for pem in os.environ["TEST_SERVICE_KEYS"].split(end)[:-1]]
    pairs = zip(environment.SERVICES, pems, strict=True)
    return {name: RSAKey.import_key(pem, parameters={"kid": name}) for name, pem in pairs}


@pytest.fixture(autouse=True)
def _known_keys(
    monkeypatch: pytest.MonkeyPatch, customers_key: RSAKey, service_private_keys: dict[str, RSAKey]
) -> None:
    from django.conf import settings

    from chassis import tokens as real

    monkeypatch.setattr(real, "customer_keys", lambda: StaticKeys(customers_key))
    monkeypatch.setattr(real, "own_key", lambda: service_private_keys[settings.SERVICE])


@pytest.fixture
def as_customer(customers_key: RSAKey) -> Any:
    """``as_customer(id)``: the Authorization header of a customer, a new one where no id is given."""

    def header(sub: str | None = None) -> dict[str, str]:
        return {"Authorization": f"Bearer {tokens.access_token(customers_key, sub=sub or str(uuid.uuid4()))}"}

    return header


@pytest.fixture
def as_staff(customers_key: RSAKey) -> Any:
    """``as_staff("warehouse")``: the Authorization header of staff with these roles; the owner where none is given."""

    def header(*roles: str) -> dict[str, str]:
        token = tokens.access_token(customers_key, sub=str(uuid.uuid4()), roles=roles or ("owner",))
        return {"Authorization": f"Bearer {token}"}

    return header


@pytest.fixture
def as_service(service_private_keys: dict[str, RSAKey]) -> Any:
    """``as_service("orders")``: the Authorization header of another service, for calls to this one."""

    def header(name: str) -> dict[str, str]:
        from django.conf import settings

        token = tokens.token_of_service(service_private_keys[name], audience=settings.SERVICE)
        return {"Authorization": f"Bearer {token}"}

    return header


@pytest.fixture
def api() -> Any:
    """A client for JSON: ``api.post(path, body, headers=…)``; ``.json()`` of what comes back."""
    from chassis.testing.client import ApiClient

    return ApiClient()


@pytest.fixture
def at_desk(db: None) -> Any:
    """``at_desk("warehouse")``: a browser in which somebody with these roles has signed in to the admin."""
    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import Group
    from django.test import Client

    from chassis.staff import ensure_roles

    def sign_in(*roles: str) -> Client:
        ensure_roles()
        model, name = get_user_model(), f"{uuid.uuid4().hex}@shop.test"
        user = model.objects.create(**{model.USERNAME_FIELD: name}, is_staff=True)
        user.groups.set(Group.objects.filter(name__in=roles))
        client = Client()
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def callers(as_customer: Any, as_staff: Any, as_service: Any) -> Any:
    """``callers(owner=id)``: the headers of each caller of routes.toml; ``owner`` is the customer who owns things."""
    from chassis.testing import routes

    def headers(owner: str | None = None) -> dict[str, dict[str, str]]:
        staff = {role: as_staff("owner" if role == "shop-owner" else role) for role in routes.STAFF}
        services = {f"{name}-service": as_service(name) for name in environment.SERVICES}
        return {"nobody": {}, "owner": as_customer(owner), "another": as_customer(), **staff, **services}

    return headers
