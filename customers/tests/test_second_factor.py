"""Codes of an authenticator app: enrolling in the admin, signing in there and at /token."""

import re
import threading
import time

import pyotp
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from customers.domain import second_factor
from customers.models import Customer, RecoveryCode, SecondFactor, Session, Throttle
from tests.conftest import CUSTOMERS, PASSWORD

pytestmark = pytest.mark.django_db
PAGE = "/admin/customers/second-factor/"
LOGIN = "/admin/customers/login/"


@pytest.fixture
def boss(customer):
    return customer("boss@example.org", name="Boss", is_staff=True, is_superuser=True)


@pytest.fixture
def app(boss):
    """Boss has enrolled: the app, and the recovery codes in ``app.recovery``."""
    app = pyotp.TOTP(second_factor.begin(customer=boss))
    app.recovery = second_factor.confirm(customer=boss, code=app.now())
    later()
    return app


def later():
    """As if the last code were of long ago, and no try was ever made."""
    SecondFactor.objects.update(last_step=0)
    Throttle.objects.all().delete()


def token(api, otp=None, password=PASSWORD):
    body = {"email": "boss@example.org", "password": password} | ({} if otp is None else {"otp": otp})
    answer = api.post(f"{CUSTOMERS}/token", body)
    return answer.status_code, answer.json().get("code")


def test_whoever_does_not_enrol_signs_in_as_before(api, boss):
    assert token(api) == token(api, "123456") == (200, None)


def test_an_enrolled_account_needs_a_code_for_tokens(api, app):
    assert token(api) == (401, "otp_required")
    assert token(api, "000000") == token(api, "١٢٣٤٥٦") == (401, "otp_invalid")
    assert not Session.objects.exists()
    assert token(api, app.now(), password="wrong") == (401, "invalid_credentials")
    assert token(api, app.now()) == (200, None)


def test_a_code_counts_once_and_only_around_its_time(api, app):
    now = int(time.time())
    for seconds in (-90, 90):
        assert token(api, app.at(now + seconds)) == (401, "otp_invalid")
    code = app.at(now)
    assert token(api, code) == (200, None)
    assert token(api, code) == token(api, app.at(now - 30)) == (401, "otp_invalid")
    assert Session.objects.count() == 1


def test_a_recovery_code_counts_once(api, app):
    first, second = app.recovery[:2]
    assert len(set(app.recovery)) == 10
    assert token(api, first) == (200, None)
    assert token(api, first) == (401, "otp_invalid")
    assert token(api, second.replace("-", "").upper()) == (200, None)
    assert RecoveryCode.objects.filter(used=None).count() == 8


def test_guessing_codes_is_throttled_and_the_right_one_is_too(api, app):
    assert [token(api, "000000")[0] for _ in range(6)] == [401] * 5 + [429]
    assert token(api, app.now()) == (429, "too_many_attempts")
    assert not Session.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_one_code_from_six_sides_lets_one_in(boss, app):
    code, outcomes, start = app.now(), [], threading.Barrier(6)

    def use():
        start.wait()
        try:
            second_factor.check(customer=boss, code=code)
            outcomes.append("in")
        except (second_factor.WrongCode, second_factor.throttle.TooManyAttempts):
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=use) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["in"] + ["refused"] * 5


def test_the_secret_is_nowhere_in_the_database(app):
    with connection.cursor() as cursor:
        for table in ("customers_secondfactor", "customers_recoverycode"):
            cursor.execute(f"SELECT string_agg(t::text, ' ') FROM {table} t")
            text = cursor.fetchone()[0]
            assert not [word for word in (app.secret, *app.recovery) if word in text or word.replace("-", "") in text]


def test_staff_enrol_on_a_page_of_the_admin(client, boss, api):
    client.force_login(boss)
    page = client.get(PAGE).content.decode()
    app = pyotp.TOTP(re.search(r'id="secret">(\w+)<', page)[1])
    assert 'src="data:image/svg+xml' in page
    assert b"what the app shows" not in client.post(PAGE, {"do": "confirm", "code": "000000"}).content
    assert token(api) == (200, None), "not confirmed yet"
    done = client.post(PAGE, {"do": "confirm", "code": app.now()})
    codes = re.findall(r"<li>([0-9a-f-]{19})</li>", done.content.decode())
    assert (len(codes), "no-store" in done["Cache-Control"]) == (10, True)
    assert token(api) == (401, "otp_required")
    again = client.get(PAGE).content.decode()
    assert app.secret not in again
    assert "10 of your recovery codes" in again


def test_turning_it_off_and_new_recovery_codes_need_a_code(client, boss, app, api):
    client.force_login(boss)
    client.post(PAGE, {"do": "remove", "code": "000000"})
    assert token(api) == (401, "otp_required")
    renewed = client.post(PAGE, {"do": "renew", "code": app.recovery[0]})
    codes = re.findall(r"<li>([0-9a-f-]{19})</li>", renewed.content.decode())
    assert len(codes) == 10
    assert token(api, app.recovery[1]) == (401, "otp_invalid")
    assert client.post(PAGE, {"do": "remove", "code": codes[0]}).status_code == 302
    assert token(api) == (200, None)
    assert not RecoveryCode.objects.exists()


def test_nobody_enrols_without_a_session(client, db):
    assert client.get(PAGE)["Location"].startswith(LOGIN)
    assert not SecondFactor.objects.exists()


def sign_in(client, **form):
    return client.post(LOGIN, form)


def proof(answer):
    return re.search(r'name="proof" value="([^"]+)"', answer.content.decode())[1]


def test_the_sign_in_page_asks_for_the_code_in_a_second_step(client, app):
    asked = sign_in(client, username="Boss@example.org", password=PASSWORD)
    assert b"authenticator app" in asked.content
    assert b'name="password"' not in asked.content
    wrong = sign_in(client, proof=proof(asked), otp="000000").content
    assert b"is wrong" in wrong
    assert b"000000" not in wrong
    assert b'value="Boss@example.org"' in sign_in(client, username="Boss@example.org", password="wrong").content
    assert "_auth_user_id" not in client.session
    assert sign_in(client, proof=proof(asked), otp=app.now()).status_code == 302
    assert "_auth_user_id" in client.session


def test_a_proof_is_not_forged_borrowed_or_kept(client, app, boss):
    asked = sign_in(client, username="boss@example.org", password=PASSWORD)
    for made_up in ("x", proof(asked)[:-2] + "xx"):
        assert b"took too long" in sign_in(client, proof=made_up, otp=app.now()).content
    boss.set_password("another horse, a staple")
    boss.save()
    assert b"took too long" in sign_in(client, proof=proof(asked), otp=app.now()).content
    assert "_auth_user_id" not in client.session


def test_a_customer_is_told_that_this_is_not_for_them(client, customer):
    customer()
    refused = sign_in(client, username="ann@example.org", password=PASSWORD)
    assert b"customer&#x27;s account" in refused.content
    assert b"customer&#x27;s account" not in sign_in(client, username="ann@example.org", password="wrong").content
    assert "_auth_user_id" not in client.session


def test_who_lost_everything_is_helped_by_a_command(api, app, capsys):
    call_command("remove_second_factor", "Boss@example.org")
    assert "password alone" in capsys.readouterr().out
    assert token(api) == (200, None)
    with pytest.raises(CommandError):
        call_command("remove_second_factor", "boss@example.org")
    assert Customer.objects.count() == 1
