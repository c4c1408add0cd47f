"""Real threads on a real PostgreSQL: one token gives one, one address one account, guesses do not outrun the count."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from customers.domain import accounts, addresses, keys, mails, sessions, sign_in, throttle, verification
from customers.models import Address, Customer, Mail, RefreshToken, Session, SigningKey
from tests.conftest import PASSWORD, token_of_mail

pytestmark = pytest.mark.django_db(transaction=True)
PLACE = {"name": "Ann", "line1": "Here 1", "city": "Bern", "country": "CH"}


def at_once(calls, workers=8):
    """Runs the calls on threads of their own, each with a database connection, and returns what came of each."""

    def run(call):
        try:
            return call()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(run, calls))


def kinds(outcomes):
    return sorted(type(outcome).__name__ for outcome in outcomes)


def test_one_refresh_token_from_eight_sides_gives_new_tokens_once(customer):
    ann = customer()
    for _ in range(5):
        token = sessions.start(customer=ann, password=ann.password).refresh
        outcomes = at_once([lambda token=token: sessions.refresh(token=token)] * 8)
        assert kinds(outcomes) == ["InvalidRefresh"] * 7 + ["Tokens"]
    assert RefreshToken.objects.count() == 10
    assert set(Session.objects.values_list("reason", flat=True)) == {"reuse"}


def test_one_address_from_eight_sides_is_one_account():
    def sign_up():
        return accounts.sign_up(email="ann@example.org", password=PASSWORD, name="Ann")

    assert at_once([sign_up] * 8) == [None] * 8
    assert Customer.objects.count() == 1
    sent = sorted(Mail.objects.values_list("kind", flat=True))
    assert sent == ["known_address"] * 4 + ["welcome"]  # five mails at once to one address, not more


def test_forty_guesses_at_once_are_ten_guesses(customer, hashes):
    customer()
    hashes.clear()

    def guess():
        return sign_in.sign_in(email="ann@example.org", password="wrong", origin="203.0.113.1")

    outcomes = at_once([guess] * 40, workers=16)
    assert kinds(outcomes) == ["InvalidCredentials"] * 10 + ["TooManyAttempts"] * 30
    assert len(hashes) == 10


def test_a_password_change_leaves_no_session_of_the_old_password(customer):
    for n in range(10):
        ann = customer(f"ann{n}@example.org")

        def enter(ann=ann):
            return sign_in.sign_in(email=ann.email, password=PASSWORD, origin="203.0.113.1")

        def change(ann=ann):
            accounts.change(id=str(ann.pk), password="another horse, a staple", current_password=PASSWORD)

        at_once([enter, change, enter], workers=3)
        assert not Session.objects.filter(customer=ann, ended=None).exists()


def test_one_reset_token_from_four_sides_works_once(customer):
    from django.core import mail as post

    ann = customer()
    verification.request_reset(email=ann.email)
    assert mails.deliver() == 1
    token = token_of_mail(post.outbox[-1])
    resets = [lambda n=n: verification.reset_password(token=token, password=f"a horse, {n} staples") for n in range(4)]
    outcomes = at_once(resets, workers=4)
    assert kinds(outcomes) == ["Invalid"] * 3 + ["NoneType"]
    ann.refresh_from_db()
    assert ann.check_password(f"a horse, {outcomes.index(None)} staples")


def test_two_workers_send_each_mail_once(customer):
    from django.core import mail as post

    post.outbox.clear()
    for n in range(20):
        mails.write(Mail.Kind.PASSWORD_CHANGED, recipient=f"ann{n}@example.org")

    def work():
        count = 0
        while mails.deliver():
            count += 1
        return count

    assert sum(at_once([work] * 4, workers=4)) == 20
    assert sorted(mail.to[0] for mail in post.outbox) == sorted(f"ann{n}@example.org" for n in range(20))


def test_the_first_key_is_made_once():
    outcomes = at_once([lambda: keys._load().signing.kid] * 8)
    assert len(set(outcomes)) == 1
    assert SigningKey.objects.count() == 1


def test_addresses_from_eight_sides_have_one_default_and_fit(customer):
    ann = customer()
    Address.objects.bulk_create(Address(customer=ann, **PLACE) for _ in range(46))
    outcomes = at_once([lambda: addresses.add(customer=str(ann.pk), default=True, **PLACE)] * 8)
    assert kinds(outcomes) == ["Address"] * 4 + ["TooManyAddresses"] * 4
    assert Address.objects.filter(default=True).count() == 1


def test_the_buckets_never_deadlock():
    keys_ = [(throttle.ACCOUNT, "a"), (throttle.ACCOUNT, "b")]

    def try_once(n):
        with_account = keys_[n % 2]
        try:
            throttle.take(with_account, (throttle.ORIGIN, "c"))
            throttle.give_back(with_account, (throttle.ORIGIN, "c"))
        except throttle.TooManyAttempts:
            pass
        return "done"

    assert at_once([lambda n=n: try_once(n) for n in range(100)]) == ["done"] * 100
