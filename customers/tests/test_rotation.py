"""Keys rotate while people shop: not one request fails. Time runs 500 times as fast: 15 minutes are 1.8 s."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest
import urllib3
from chassis import keys as fetched
from chassis.keys import RemoteKeys
from django.db import connection
from joserfc import jws
from joserfc.jwk import RSAKey

from customers.domain import keys, sessions
from customers.models import SigningKey
from tests.conftest import CUSTOMERS

pytestmark = pytest.mark.django_db(transaction=True)
FAST = 500


@pytest.fixture
def hurry(monkeypatch):
    """Every interval that the rotation rests on, so much shorter."""
    for module, name in ((keys, "_RELOAD_SECONDS"), (keys, "_RETRY_SECONDS"), (fetched, "FRESH_SECONDS")):
        monkeypatch.setattr(module, name, getattr(module, name) / FAST)
    monkeypatch.setattr(fetched, "RETRY_SECONDS", fetched.RETRY_SECONDS / FAST)
    monkeypatch.setattr(keys, "AHEAD", timedelta(seconds=keys.AHEAD.total_seconds() / FAST))
    monkeypatch.setattr(keys, "generate", lambda: RSAKey.generate_key(2048, private=True))


def test_not_one_request_fails_while_keys_rotate(hurry, live_server, customer):
    ann, stop = customer(), Event()
    remote = RemoteKeys(f"{live_server.url}{CUSTOMERS}/.well-known/jwks.json")

    def shop() -> int:
        """Signs in anew, is known at once here and in another service, and still is at the end of the token's life."""
        done, http = 0, urllib3.PoolManager()
        try:
            while not stop.is_set():
                header = {"Authorization": f"Bearer {sessions.access_token(ann)}"}
                for moment in ("at the beginning", "at the end"):
                    assert http.request("GET", f"{live_server.url}{CUSTOMERS}/me", headers=header).status == 200, moment
                    kid = _kid(header)
                    assert remote.get(kid) is not None, f"another service does not know {kid} {moment}"
                    done += 1
                    time.sleep(sessions.ACCESS_SECONDS / FAST)  # the token's life
        finally:
            connection.close()
        return done

    with ThreadPoolExecutor(4) as pool:
        people = [pool.submit(shop) for _ in range(4)]
        signed_with = set()
        for turns in (1.1, 2.2):  # until the first new key signs; until the second does and those before it are gone
            keys.rotate()
            end = time.monotonic() + turns * keys.AHEAD.total_seconds()
            while time.monotonic() < end and not any(person.done() for person in people):
                signed_with.add(keys.published().signing().kid)
                time.sleep(0.05)
        stop.set()
        done = [person.result(timeout=30) for person in people]
    assert len(signed_with) == 3, "each new key signed in its turn"
    assert SigningKey.objects.count() == 3
    assert sum(done) > 20
    print(f"{sum(done)} requests, none failed")


def _kid(header):
    return jws.extract_compact(header["Authorization"].removeprefix("Bearer ").encode()).headers()["kid"]
