import pytest
from django.core import mail as post
from django.db import connection
from django.test import override_settings

from customers.domain import mails
from customers.models import Mail, MailedToken

pytestmark = pytest.mark.django_db
Kind = Mail.Kind
BROKEN = override_settings(
    EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend", EMAIL_HOST="127.0.0.1", EMAIL_PORT=9
)


def let_pass(seconds):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE customers_mail SET next_attempt = next_attempt - make_interval(secs => %s)", [seconds])


@pytest.mark.parametrize("kind", Kind.values)
def test_every_kind_has_words(customer, kind, settings):
    settings.PASSWORD_RESET_URL = "https://shop.example/new-password"
    ann = customer()
    mails.write(kind, recipient=ann.email, customer=ann)
    assert (mails.deliver(), mails.deliver()) == (1, 0)
    (sent,) = post.outbox
    assert sent.to == [ann.email]
    assert sent.subject
    assert "\n" not in sent.subject
    assert sent.body.startswith("Hello,")
    assert "Ann" not in sent.body
    assert ("?token=" in sent.body) == (kind in (Kind.WELCOME, Kind.VERIFY_EMAIL, Kind.PASSWORD_RESET))
    row = Mail.objects.get()
    assert (row.attempts, row.sent is not None) == (1, True)


def test_a_mail_that_failed_waits_longer_each_time_and_arrives(customer):
    ann = customer()
    mails.write(Kind.PASSWORD_RESET, recipient=ann.email)
    waits = []
    with BROKEN:
        for attempt in range(3):
            assert mails.deliver() == 0
            row = Mail.objects.get()
            assert (row.attempts, row.sent) == (attempt + 1, None)
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT round(extract(epoch FROM next_attempt - statement_timestamp())) FROM customers_mail"
                )
                waits.append(int(cursor.fetchone()[0]))
            assert mails.deliver() == 0
            let_pass(waits[-1] + 1)
    assert waits == [60, 120, 240]
    assert mails.deliver() == 1
    assert len(post.outbox) == 1
    assert Mail.objects.get().sent is not None


def test_a_mail_is_given_up_after_a_day_and_tried_again_by_hand(customer):
    ann = customer()
    mails.write(Kind.PASSWORD_CHANGED, recipient=ann.email)
    Mail.objects.update(attempts=mails.MAX_ATTEMPTS)
    assert mails.deliver() == 0
    assert mails.try_again(mails=[Mail.objects.get().pk]) == 1
    assert mails.deliver() == 1
    assert mails.try_again(mails=[Mail.objects.get().pk]) == 0


def test_mails_that_have_become_pointless_are_dropped(customer):
    ann = customer(email_verified=True)
    mails.write(Kind.VERIFY_EMAIL, recipient=ann.email, customer=ann)
    mails.write(Kind.VERIFY_EMAIL, recipient="former@example.org", customer=ann)
    mails.write(Kind.PASSWORD_RESET, recipient="nobody@example.org")
    mails.write(Kind.KNOWN_ADDRESS, recipient="nobody@example.org")
    assert [mails.deliver() for _ in range(5)] == [1, 1, 1, 1, 0]
    assert post.outbox == []
    assert not Mail.objects.exists()
    assert not MailedToken.objects.exists()


def test_old_mails_and_tokens_are_forgotten(customer):
    ann = customer()
    for _ in range(2):
        mails.write(Kind.PASSWORD_RESET, recipient=ann.email)
        assert mails.deliver() == 1
    old, old_token = Mail.objects.first(), MailedToken.objects.first()
    Mail.objects.filter(pk=old.pk).update(created="2020-01-01T00:00Z")
    MailedToken.objects.filter(pk=old_token.pk).update(created="2020-01-01T00:00Z", expires="2020-01-02T00:00Z")
    assert mails.forget_old() == 2
    assert (Mail.objects.count(), MailedToken.objects.count()) == (1, 1)
