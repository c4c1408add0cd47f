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
LIFE = sessions.ACCESS_SECONDS / FAST  # of a token


@pytest.fixture
def hurry(monkeypatch):
    """Every interval that the rotation rests on, so much shorter."""
    for module, name in ((keys, "_RELOAD_SECONDS"), (keys, "_RETRY_SECONDS"), (fetched, "FRESH_SECONDS")):
        monkeypatch.setattr(module, name, getattr(module, name) / FAST)
    monkeypatch.setattr(fetched, "RETRY_SECONDS", fetched.RETRY_SECONDS / FAST)
    monkeypatch.setattr(keys, "AHEAD", timedelta(seconds=keys.AHEAD.total_seconds() / FAST))
    monkeypatch.setattr(keys, "generate", lambda: RSAKey.generate_key(2048, private=True))


def test_not_one_request_fails_while_keys_rotate(hurry, live_server, customer):
    ann, stop, done = customer(), Event(), []  # the key of each token that was known in its life
    remote = RemoteKeys(f"{live_server.url}{CUSTOMERS}/.well-known/jwks.json")

    def shop() -> None:
        """Signs in anew, is known at once here and in another service, and still is at the end of the token's life."""
        http = urllib3.PoolManager()
        try:
            while not stop.is_set():
                issued = time.monotonic()
                header = {"Authorization": f"Bearer {sessions.access_token(ann)}"}
                for moment in (0, 0.9):  # of the token's life
                    time.sleep(max(0, issued + moment * LIFE - time.monotonic()))
                    status = http.request("GET", f"{live_server.url}{CUSTOMERS}/me", headers=header).status
                    known = remote.get(kid := _kid(header)) is not None
                    if time.monotonic() < issued + LIFE:  # else the machine was too slow, and the token is over
                        assert (status, known) == (200, True), f"token of {kid}, {moment} of its life gone"
                        done.append(kid)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        people = [pool.submit(shop) for _ in range(4)]
        signed_with = set()
        for turns in (0, 1.1, 2.2):  # until the first new key signs; until the second does and those before it are gone
            if turns:
                keys.rotate()
            begin = time.monotonic()
            while not any(person.done() for person in people):
                signed_with.add(newest := keys.published().signing().kid)
                gone = time.monotonic() - begin
                # On a slow machine longer: until somebody's token of this key was known before it ended.
                if gone > turns * keys.AHEAD.total_seconds() and (newest in done or gone > 60):
                    break
                time.sleep(0.05)
        stop.set()
        for person in people:
            person.result(timeout=30)
    assert len(signed_with) == 3, "each new key signed in its turn"
    assert SigningKey.objects.count() == 3
    assert set(done) == signed_with, "tokens of each key were tried"
    print(f"{len(done)} requests, none failed")


def _kid(header):
    return jws.extract_compact(header["Authorization"].removeprefix("Bearer ").encode()).headers()["kid"]
