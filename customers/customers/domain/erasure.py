"""Erasure everywhere (GDPR, article 17): a row is a request; the worker carries it to all services until each confirms.

The account itself is gone at once (accounts.close). Orders that are under way keep their buyer until they are at rest.
Access tokens outlive the account by minutes, so each service is asked once more when none can be left.
"""

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from chassis.http import DependencyUnavailable
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from customers import clients
from customers.domain.sessions import ACCESS_SECONDS
from customers.models import Erasure, Mail, PrivacyEvent

TOKENS_GONE = timedelta(seconds=ACCESS_SECONDS + 60)
"""After that long no access token of the account can be good, whatever the clocks say."""
Event = PrivacyEvent.Event
_log = structlog.get_logger("erasure")

# Claiming a request also says when it is due again: 1 s after the first attempt, then twice as long, at most an hour.
_CLAIM = """
    UPDATE customers_erasure SET attempts = attempts + 1,
        next_attempt = statement_timestamp() + make_interval(secs => least(2 ^ least(attempts, 12), 3600))
    WHERE customer = (
        SELECT customer FROM customers_erasure WHERE completed IS NULL AND next_attempt <= statement_timestamp()
        ORDER BY next_attempt LIMIT 1 FOR UPDATE SKIP LOCKED
    ) RETURNING customer
"""


def request(*, customer: UUID) -> None:
    """Writes the request, in the transaction that closes the account. May be repeated."""
    _, new = Erasure.objects.get_or_create(customer=customer)
    if new:
        PrivacyEvent.objects.create(customer=customer, event=Event.ERASURE_REQUESTED)
        _log.info("erasure_requested", customer=str(customer))  # where a restore of this database cannot lose it


def carry_out() -> int:
    """Takes the request that waits longest to all services; returns 1 where they have confirmed, 0 where nothing was
    due or somebody has to be asked again.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM)
        row = cursor.fetchone()
    if row is None:
        return 0
    started = timezone.now()
    try:
        confirmed = all([clients.erase(service=service, customer=row[0]) for service in clients.HOLDERS])
    except DependencyUnavailable as error:
        _log.warning("erasure_waits", customer=str(row[0]), detail=error.detail)
        return 0
    return _note(row[0], started) if confirmed else 0


def _note(customer: UUID, started: datetime) -> int:
    """Everybody has confirmed: the first time, or the last."""
    with transaction.atomic():
        erasure = Erasure.objects.select_for_update().get(pk=customer)
        if erasure.erased is None:
            erasure.erased = Now()
            PrivacyEvent.objects.create(customer=customer, event=Event.ERASED)
        if started >= erasure.requested + TOKENS_GONE:
            erasure.completed = Now()
            Mail.objects.filter(customer=customer).delete()  # the last one, which said that the account is closed
            PrivacyEvent.objects.create(customer=customer, event=Event.COMPLETED)
        else:
            erasure.next_attempt, erasure.attempts = erasure.requested + TOKENS_GONE, 0
        erasure.save()
    return 1
