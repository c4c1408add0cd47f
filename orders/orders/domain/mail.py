"""Mails to the buyer: each a row of the transaction whose news it is, sent by the worker, at least once."""

from smtplib import SMTPException

import structlog
from chassis.money import shown
from django.conf import settings
from django.core.mail import send_mail
from django.db.models.functions import Now
from django.template.loader import render_to_string

from orders import metrics
from orders.domain import documents
from orders.models import ERASED, Mail, Order

_log = structlog.get_logger("mail")
_SUBJECTS = {
    "confirmation": "Your order {number} is confirmed",
    "shipped": "Your order {number} is on its way",
    "refunded": "Your order {number} was cancelled",
}
# Claiming a mail also says when it is due again: whoever dies with it in hand delays it and loses nothing.
_CLAIM = """
    UPDATE orders_mail SET attempts = attempts + 1,
        next_attempt = statement_timestamp() + make_interval(secs => least(3600, 30 * 2 ^ least(attempts, 10)))
    WHERE id = (
        SELECT id FROM orders_mail WHERE sent IS NULL AND next_attempt <= statement_timestamp()
        ORDER BY next_attempt LIMIT 1 FOR UPDATE SKIP LOCKED
    ) RETURNING *
"""


def send_due() -> int:
    """Sends the mail that waits longest; returns 1 when one was sent, 0 when none is due or sending failed.

    One at a time: a mail server that hangs must not keep the worker from its orders. What failed is tried again later.
    """
    mail = next(iter(Mail.objects.raw(_CLAIM)), None)
    if mail is None:
        return 0
    if mail.order.email == ERASED:
        mail.delete()
        return 1
    try:
        _send(mail.order, mail.kind)
    except (OSError, SMTPException) as error:
        metrics.MAILS.labels("failed").inc()
        _log.warning("mail_not_sent", mail=mail.pk, kind=mail.kind, attempt=mail.attempts, error=type(error).__name__)
        return 0
    Mail.objects.filter(pk=mail.pk).update(sent=Now())
    metrics.MAILS.labels("sent").inc()
    return 1


def _send(order: Order, kind: str) -> None:
    lines = [
        {"quantity": line.quantity, "name": line.name, "total": shown(line.line_total, order.currency)}
        for line in order.lines.all()
    ]
    context = {
        "order": order,
        "lines": lines,
        "total": shown(order.total, order.currency),
        "link": f"{settings.PUBLIC_URL}{documents.location(order)}",
    }
    body = render_to_string(f"orders/{kind}.txt", context)
    send_mail(_SUBJECTS[kind].format(number=order.number), body, None, [order.email])
