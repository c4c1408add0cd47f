"""The outbox: mails are rows, written with what they tell of; the worker sends them, at least once.

A row holds no secret. The token in a mail is made when it is sent, and only its digest is kept, so that nobody who
reads the database can act in a customer's name. Names never go into mails: an address may be a stranger's.
"""

import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import connection
from django.db.models.functions import Now
from django.template.loader import render_to_string

from customers import metrics
from customers.domain import sessions, throttle
from customers.models import Customer, Mail, MailedToken

MAX_ATTEMPTS = 12
"""Over a day: a minute after the first, then twice as long each time, at most six hours."""
KEPT = timedelta(days=30)
LIFETIMES = {
    MailedToken.Purpose.VERIFY_EMAIL: timedelta(days=3),
    MailedToken.Purpose.PASSWORD_RESET: timedelta(hours=1),
}
Kind = Mail.Kind
_log = structlog.get_logger("mails")

# Claiming a mail also says when it is due again: whoever dies with it in hand delays it and loses nothing.
_CLAIM = """
    UPDATE customers_mail SET attempts = attempts + 1,
        next_attempt = statement_timestamp() + make_interval(secs => least(60 * 2 ^ attempts, 21600))
    WHERE id = (
        SELECT id FROM customers_mail WHERE sent IS NULL AND next_attempt <= statement_timestamp() AND attempts < %s
        ORDER BY next_attempt LIMIT 1 FOR UPDATE SKIP LOCKED
    ) RETURNING id
"""


def write(kind: str, *, recipient: str, customer: Customer | None = None) -> None:
    """Puts a mail into the outbox, in the transaction of what it tells of."""
    Mail.objects.create(kind=kind, recipient=recipient, customer=customer)


def write_for_stranger(kind: str, *, recipient: str, customer: Customer | None = None) -> None:
    """``write`` for what anybody can ask for: beyond five in a row and one in ten minutes, an address gets no more."""
    if throttle.allows((throttle.MAILBOX, recipient)):
        write(kind, recipient=recipient, customer=customer)


def deliver() -> int:
    """Sends the mail that waits longest; returns how many were done with, 0 when none is due or sending failed."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [MAX_ATTEMPTS])
        row = cursor.fetchone()
    if row is None:
        return 0
    mail = Mail.objects.select_related("customer").get(pk=row[0])
    message = _composed(mail)
    if message is None:
        mail.delete()
        metrics.MAILS.labels("dropped").inc()
        return 1
    try:
        message.send()
    except Exception as error:  # whatever a mail server thinks of
        metrics.MAILS.labels("failed").inc()
        _log.warning("mail_not_sent", mail=mail.pk, kind=mail.kind, attempt=mail.attempts, error=type(error).__name__)
        return 0
    Mail.objects.filter(pk=mail.pk).update(sent=Now())
    metrics.MAILS.labels("sent").inc()
    return 1


def try_again(*, mails: list[int]) -> int:
    """Makes unsent mails due now; returns how many."""
    return Mail.objects.filter(pk__in=mails, sent=None).update(attempts=0, next_attempt=Now())


def forget_old() -> int:
    """Deletes mails older than 30 days, sent or not, and expired tokens of mails; returns how many."""
    tokens = MailedToken.objects.filter(expires__lt=Now()).delete()[0]
    return tokens + Mail.objects.filter(created__lt=Now() - KEPT).delete()[0]


def _composed(mail: Mail) -> EmailMessage | None:
    """The message; None where it has become pointless, or there never was an account at the address."""
    context: dict[str, Any] = {"shop": settings.PUBLIC_URL}
    if mail.kind in (Kind.WELCOME, Kind.VERIFY_EMAIL):
        customer = mail.customer
        if customer is None or not _awaits(customer, mail.recipient):
            return None
        context |= _with_token(customer, mail.recipient, MailedToken.Purpose.VERIFY_EMAIL, settings.VERIFY_EMAIL_URL)
    elif mail.kind in (Kind.PASSWORD_RESET, Kind.KNOWN_ADDRESS):
        customer = Customer.objects.filter(email=mail.recipient, is_active=True).first()
        if customer is None:
            return None
        if mail.kind == Kind.PASSWORD_RESET:
            purpose = MailedToken.Purpose.PASSWORD_RESET
            context |= _with_token(customer, mail.recipient, purpose, settings.PASSWORD_RESET_URL)
    head, _, body = render_to_string(f"mail/{mail.kind}.txt", context).partition("\n\n")
    return EmailMessage(subject=head.removeprefix("Subject: "), body=body, to=[mail.recipient])


def _awaits(customer: Customer, address: str) -> bool:
    """Whether the address is still one that the customer should verify."""
    unverified = address == customer.email and not customer.email_verified
    return customer.is_active and (unverified or address == customer.pending_email)


def _with_token(customer: Customer, email: str, purpose: MailedToken.Purpose, page: str) -> dict[str, str]:
    token = secrets.token_urlsafe(32)
    MailedToken.objects.create(
        digest=sessions.digest(token),
        customer=customer,
        purpose=purpose,
        email=email,
        expires=Now() + LIFETIMES[purpose],
    )
    return {"token": token, "link": f"{page}?{urlencode({'token': token})}" if page else ""}
