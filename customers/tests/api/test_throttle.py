import pytest
from django.db import connection

from customers.domain import throttle
from customers.models import Session, Throttle
from tests.conftest import CUSTOMERS, PASSWORD

pytestmark = pytest.mark.django_db


def sign_in(api, email="ann@example.org", password="wrong", address="203.0.113.1"):
    body = {"email": email, "password": password}
    return api.post(f"{CUSTOMERS}/token", body, {"X-Forwarded-For": address})


def let_pass(seconds):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE customers_throttle SET whole_at = whole_at - %s * interval '1 second'", [seconds])


def test_an_account_is_throttled_whatever_the_address(api, customer, hashes):
    customer()
    hashes.clear()
    answers = [sign_in(api, address=f"203.0.113.{n}") for n in range(20)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 10
    assert len(hashes) == 10
    last = answers[-1]
    assert last.json()["code"] == "too_many_attempts"
    assert 1 <= int(last["Retry-After"]) <= 90
    assert sign_in(api, password=PASSWORD, address="203.0.113.99").status_code == 429
    assert not Session.objects.exists()


def test_an_unknown_account_is_throttled_alike(api, db):
    assert [sign_in(api, "nobody@example.org").status_code for _ in range(11)] == [401] * 10 + [429]


def test_an_address_is_throttled_whatever_the_account(api, customer):
    customer()
    statuses = [sign_in(api, f"guess{n}@example.org").status_code for n in range(20)]
    refused = sign_in(api, "ann@example.org", PASSWORD)
    assert statuses == [401] * 20
    assert refused.status_code == 429
    assert 1 <= int(refused["Retry-After"]) <= 10
    assert sign_in(api, password=PASSWORD, address="203.0.113.2").status_code == 200


def test_only_what_the_gateway_adds_last_is_believed(api, customer):
    statuses = {
        sign_in(api, f"guess{n}@example.org", address=f"10.0.0.{n}, 203.0.113.1").status_code for n in range(20)
    }
    assert statuses == {401}
    assert sign_in(api, "other@example.org", address="203.0.113.1").status_code == 429


def test_one_subscriber_has_a_whole_64(api):
    for n in range(20):
        sign_in(api, f"guess{n}@example.org", address=f"2001:db8::{n:x}")
    assert sign_in(api, "other@example.org", address="2001:db8::ffff").status_code == 429
    assert sign_in(api, "other@example.org", address="2001:db8:0:1::1").status_code == 401


def test_time_heals_and_a_throttled_attempt_costs_the_address_nothing(api, customer):
    customer()
    for _ in range(25):
        sign_in(api)
    assert sign_in(api, "bob@example.org").status_code == 401
    let_pass(91)
    assert sign_in(api, password=PASSWORD).status_code == 200


def test_the_right_password_forgets_the_wrong_ones(api, customer):
    customer()
    for _ in range(3):
        assert [sign_in(api).status_code for _ in range(5)] == [401] * 5
        assert sign_in(api, password=PASSWORD).status_code == 200
        let_pass(60)


def test_signing_in_rightly_is_never_too_much(api, customer):
    customer()
    assert {sign_in(api, password=PASSWORD).status_code for _ in range(30)} == {200}


def test_the_table_names_nobody_and_is_swept(api, customer):
    sign_in(api)
    assert Throttle.objects.count() == 2
    assert "ann" not in str(list(Throttle.objects.values()))
    assert throttle.forget_old() == 0
    let_pass(100)
    assert throttle.forget_old() == 2


def test_one_address_gets_no_more_than_five_mails_at_once(api, customer):
    from customers.models import Mail

    customer()
    statuses = {api.post(f"{CUSTOMERS}/password-reset", {"email": "ann@example.org"}).status_code for _ in range(9)}
    assert statuses == {202}
    assert Mail.objects.count() == 5
