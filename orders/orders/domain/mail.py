"""Mails to the buyer: each a row of the transaction whose news it is, sent by the worker, at least once."""

from collections.abc import Sequence
from dataclasses import dataclass
from smtplib import SMTPException
from time import monotonic
from typing import Any

import orjson
import structlog
from chassis import prepared
from chassis.money import shown
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import connection
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.template.loader import render_to_string

from orders import metrics
from orders.domain import documents
from orders.models import ERASED, Mail, Order, OrderLine

_log = structlog.get_logger("mail")
_SUBJECTS = {
    "confirmation": "Your order {number} is confirmed",
    "shipped": "Your order {number} is on its way",
    "refunded": "Your order {number} was cancelled",
}
_OF_ORDER = ("id", "number", "customer", "email", "shipping_address", "method", "currency", "total")
# Claiming a mail also says when it is due again: whoever dies with it in hand delays it and loses nothing.
_CLAIM = f"""
    WITH claimed AS (
        UPDATE orders_mail SET attempts = attempts + 1,
            next_attempt = statement_timestamp() + make_interval(secs => least(3600, 30 * 2 ^ least(attempts, 10)))
        WHERE id IN (
            SELECT id FROM orders_mail WHERE sent IS NULL AND next_attempt <= statement_timestamp()
            ORDER BY next_attempt LIMIT %(batch)s FOR UPDATE SKIP LOCKED
        ) RETURNING id, order_id, kind, attempts
    )
    SELECT claimed.id, claimed.kind, claimed.attempts, ARRAY(
            SELECT json_build_object('name', name, 'quantity', quantity, 'unit_price', unit_price)::text
            FROM orders_orderline l WHERE l.order_id = o.id ORDER BY l.id
        ), {", ".join(f"o.{column}" for column in _OF_ORDER)}
    FROM claimed JOIN orders_order o ON o.id = claimed.order_id ORDER BY claimed.id
"""
BATCH = 20
PATIENCE_SECONDS = 5.0
"""No other mail is begun after so long."""


@dataclass(frozen=True)
class _Due:
    """A mail that is ours to send; order and lines have what it tells of them, and no more."""

    id: int
    kind: str
    attempts: int
    lines: list[OrderLine]
    order: Order


def send_due() -> int:
    """Sends the mails that wait longest, over one connection; returns how many are done with.

    The first that fails ends it and is tried again later, and so does a server that takes its time: the worker must not
    be kept from its orders. Those behind it wait no longer for that.
    """
    claimed = _claimed()
    if not claimed:
        return 0
    mails = [mail for mail in claimed if mail.order.email != ERASED]
    tried, sent, ends = 0, 0, monotonic() + PATIENCE_SECONDS
    try:
        with get_connection() as server:
            for mail in mails:
                if tried and monotonic() >= ends:
                    break
                tried += 1
                server.send_messages([_message(mail)])
                sent += 1
    except (OSError, SMTPException) as error:
        for failed in mails[sent:tried]:  # none, where the server only failed to say goodbye
            _not_sent(failed, error)
    finally:  # whatever went wrong with one of them: what is sent is not sent again
        metrics.MAILS.labels("sent").inc(sent)
        _rows(mails[:sent]).update(sent=Now())
        _rows(mails[tried:]).update(attempts=F("attempts") - 1, next_attempt=Now())
        _rows([mail for mail in claimed if mail not in mails]).delete()
    return sent + len(claimed) - len(mails)


def _claimed() -> list[_Due]:
    with connection.cursor() as cursor:
        prepared.execute(cursor, _CLAIM, {"batch": BATCH})
        return [_due(*row) for row in cursor.fetchall()]


def _due(id: int, kind: str, attempts: int, lines: list[str], *of_order: Any) -> _Due:
    order = Order(**dict(zip(_OF_ORDER, of_order, strict=True)))
    order.shipping_address = orjson.loads(order.shipping_address)  # as the column is read without its field
    return _Due(id, kind, attempts, [OrderLine(**orjson.loads(line)) for line in lines], order)


def _not_sent(mail: _Due, error: Exception) -> None:
    metrics.MAILS.labels("failed").inc()
    _log.warning("mail_not_sent", mail=mail.id, kind=mail.kind, attempt=mail.attempts, error=type(error).__name__)


def _rows(mails: Sequence[_Due]) -> "QuerySet[Mail]":
    return Mail.objects.filter(pk__in=[mail.id for mail in mails])


def _message(mail: _Due) -> EmailMessage:
    order = mail.order
    lines = [
        {"quantity": line.quantity, "name": line.name, "total": shown(line.line_total, order.currency)}
        for line in mail.lines
    ]
    context = {
        "order": order,
        "lines": lines,
        "total": shown(order.total, order.currency),
        "link": f"{settings.PUBLIC_URL}{documents.location(order)}",
    }
    body = render_to_string(f"orders/{mail.kind}.txt", context)
    return EmailMessage(_SUBJECTS[mail.kind].format(number=order.number), body, None, [order.email])
