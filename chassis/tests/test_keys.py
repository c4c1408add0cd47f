"""Published keys, fetched from a real server that comes and goes."""

import pytest

from chassis import keys
from chassis.errors import Unavailable
from chassis.keys import RemoteKeys
from chassis.testing import tokens
from tests.servers import free_port, nowhere, running

ONE, OTHER = tokens.new_key("one"), tokens.new_key("other")


def published(*found):
    return 200, tokens.public(*found).encode()


@pytest.fixture
def hasty(monkeypatch):
    """Fetches at once whenever there is a reason to."""
    monkeypatch.setattr(keys, "RETRY_SECONDS", -1)


def test_keys_are_fetched_once_and_kept():
    with running(published(ONE, OTHER)) as server:
        remote = RemoteKeys(server.url)
        found = [remote.get(kid) for kid in ("one", "other", "one")]
    assert [key and key.thumbprint() for key in found] == [key.thumbprint() for key in (ONE, OTHER, ONE)]
    assert not any(key and key.is_private for key in found)
    assert len(server.requests) == 1


def test_an_unknown_key_is_looked_for_anew_but_not_for_each_request():
    with running(published(ONE), published(ONE, OTHER)) as server:
        remote = RemoteKeys(server.url)
        assert remote.get("one")
        assert [remote.get(f"made-up-{n}") for n in range(50)] == [None] * 50
        assert len(server.requests) == 1


def test_a_new_key_is_found_and_an_old_one_forgotten(hasty):
    with running(published(ONE), published(OTHER)) as server:
        remote = RemoteKeys(server.url)
        assert remote.get("one")
        assert remote.get("other")
        assert remote.get("one") is None
        assert len(server.requests) == 3


def test_old_keys_are_fetched_anew(hasty, monkeypatch):
    monkeypatch.setattr(keys, "FRESH_SECONDS", -1)
    with running(published(ONE)) as server:
        remote = RemoteKeys(server.url)
        assert [remote.get("one") is not None for _ in range(3)] == [True] * 3
        assert len(server.requests) == 3


@pytest.mark.parametrize(
    "fault", [503, (200, b"<html>"), (200, b"{}"), (200, b"[]"), (200, {"keys": [{"kty": "x"}]}), (200, {"keys": 5})]
)
def test_the_last_good_keys_are_kept_while_the_source_is_broken(hasty, monkeypatch, fault):
    monkeypatch.setattr(keys, "FRESH_SECONDS", -1)
    with running(published(ONE), fault) as server:
        remote = RemoteKeys(server.url)
        assert [remote.get("one") is not None for _ in range(3)] == [True] * 3
        assert len(server.requests) == 3


def test_the_last_good_keys_are_kept_while_the_source_is_down_and_new_ones_found_after(hasty, monkeypatch):
    monkeypatch.setattr(keys, "FRESH_SECONDS", -1)
    port = free_port()
    with running(published(ONE), port=port) as server:
        remote = RemoteKeys(server.url)
        assert remote.get("one")
    assert remote.get("one"), "nothing listens there now"
    assert remote.get("other") is None
    with running(published(OTHER), port=port):
        assert remote.get("other")


def test_where_no_key_was_ever_had_nobody_can_be_checked():
    with pytest.raises(Unavailable) as refusal:
        RemoteKeys(nowhere()).get("one")
    assert (refusal.value.status, refusal.value.retry_after) == (503, 2)
