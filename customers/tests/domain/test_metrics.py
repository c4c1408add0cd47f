"""What customers' worker measures."""

import pytest
from django.db import connection

from customers.domain import mails
from customers.metrics import MEASURES
from customers.models import Mail

pytestmark = pytest.mark.django_db


def measured():
    return {measure.name: measure.read()[()] for measure in MEASURES}


def test_the_outbox_s_lag_is_the_age_of_the_oldest_mail_that_somebody_will_send(customer):
    assert measured() == {"outbox_mails": 0, "outbox_lag_seconds": 0}
    ann = customer()
    mails.write(Mail.Kind.PASSWORD_CHANGED, recipient=ann.email)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE customers_mail SET created = created - interval '10 minutes'")
    mails.write(Mail.Kind.EMAIL_CHANGED, recipient=ann.email)
    assert (measured()["outbox_mails"], 590 <= measured()["outbox_lag_seconds"] < 630) == (2, True)
    Mail.objects.filter(kind=Mail.Kind.PASSWORD_CHANGED).update(attempts=mails.MAX_ATTEMPTS - 1)
    assert measured()["outbox_mails"] == 2
    Mail.objects.filter(kind=Mail.Kind.PASSWORD_CHANGED).update(attempts=mails.MAX_ATTEMPTS)
    assert (measured()["outbox_mails"], measured()["outbox_lag_seconds"] < 30) == (1, True)
