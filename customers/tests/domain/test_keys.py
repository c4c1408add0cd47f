import time

import pytest
from chassis import tokens
from django.core.management import call_command
from django.db import connection
from joserfc.jwk import RSAKey

from customers.domain import keys, sessions
from customers.models import SigningKey

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def real_keys(monkeypatch):
    monkeypatch.setattr(keys, "generate", lambda: RSAKey.generate_key(2048, private=True))


def published():
    return {key["kid"] for key in keys.published().document()["keys"]}


def let_pass(minutes):
    with connection.cursor() as cursor:
        step = "make_interval(mins => %(minutes)s)"
        cursor.execute(
            f"UPDATE customers_signingkey SET signs_from = signs_from - {step}, "
            f"published_until = published_until - {step}",
            {"minutes": minutes},
        )
    keys.published().forget()
    tokens._verified.clear()  # no token is remembered for minutes


def test_a_rotation_refuses_no_token(customer, capsys):
    ann = customer()
    old = keys.published().signing().kid
    before = sessions.access_token(ann)
    call_command("rotate_keys")
    (new,) = published() - {old}
    assert new in capsys.readouterr().out
    assert keys.published().signing().kid == old
    let_pass(14)
    assert keys.published().signing().kid == old
    let_pass(2)
    assert keys.published().signing().kid == new
    after = sessions.access_token(ann)
    assert published() == {old, new}
    assert tokens.verify(before).id == tokens.verify(after).id == str(ann.pk)
    assert keys.forget_old() == 0
    let_pass(15)
    assert published() == {new}
    assert keys.forget_old() == 1
    with pytest.raises(tokens.InvalidToken, match="unknown key"):
        tokens.verify(before)
    assert tokens.verify(after).id == str(ann.pk)


def test_a_new_key_is_published_longer_than_anybody_caches_before_it_signs():
    from chassis.keys import FRESH_SECONDS

    longest = keys.CACHE_SECONDS + FRESH_SECONDS
    assert keys.AHEAD.total_seconds() > longest
    assert keys.AHEAD.total_seconds() > sessions.ACCESS_SECONDS + tokens.LEEWAY_SECONDS + keys._RELOAD_SECONDS


def test_a_compromised_key_is_withdrawn_at_once(customer):
    ann = customer()
    stolen = sessions.access_token(ann)
    call_command("rotate_keys", compromised=True)
    assert len(published()) == 1
    with pytest.raises(tokens.InvalidToken):
        tokens.verify(stolen)
    assert tokens.verify(sessions.access_token(ann)).id == str(ann.pk)


def test_private_keys_are_unreadable_without_the_secret_key(customer, settings):
    ann = customer()
    before = sessions.access_token(ann)
    row = SigningKey.objects.get()
    assert "PRIVATE" not in row.private
    assert set(row.public) & {"d", "p", "q"} == set()
    settings.SECRET_KEY = "another secret key altogether"
    keys.published().forget()
    after = sessions.access_token(ann)
    assert keys.published().signing().kid != row.kid
    assert tokens.verify(before).id == tokens.verify(after).id == str(ann.pk)


def test_a_made_up_key_id_is_looked_up_at_most_every_two_seconds(django_assert_num_queries):
    known = keys.published().signing().kid
    with django_assert_num_queries(0):
        for n in range(100):
            assert keys.published().get(f"made up {n}") is None
        assert keys.published().get(known) is not None
    loaded = keys.published()._keys
    keys.published()._keys = keys._Keys(loaded.signing, loaded.public, time.monotonic() - 3)
    with django_assert_num_queries(2):
        for n in range(100):
            assert keys.published().get(f"made up {n}") is None


@pytest.mark.django_db(transaction=True)
def test_other_services_fetch_the_keys_and_verify(live_server, customer, monkeypatch):
    from chassis.keys import RemoteKeys

    ann = customer()
    theirs = RemoteKeys(f"{live_server.url}/api/v1/customers/.well-known/jwks.json")
    token = sessions.access_token(ann)
    monkeypatch.setattr(tokens, "customer_keys", lambda: theirs)
    assert tokens.verify(token) == tokens.Principal("customer", str(ann.pk))
