"""Mails to the buyer: each a row of the transaction whose news it is, sent by the worker, at least once."""

from chassis.money import shown
from django.conf import settings
from django.core.mail import send_mail
from django.db import connection
from django.template.loader import render_to_string

from orders.domain import documents
from orders.models import Mail, Order

_SUBJECTS = {
    "confirmation": "Your order {number} is confirmed",
    "shipped": "Your order {number} is on its way",
    "refunded": "Your order {number} was cancelled",
}
_TAKE = """
    UPDATE orders_mail SET attempts = attempts + 1,
        next_attempt = now() + make_interval(secs => least(3600, 30 * 2 ^ least(attempts, 10)))
    WHERE id IN (
        SELECT id FROM orders_mail WHERE sent IS NULL AND next_attempt <= now()
        ORDER BY next_attempt LIMIT %s FOR UPDATE SKIP LOCKED
    ) RETURNING *
"""


def send_due(*, batch: int = 20) -> int:
    """Sends what is due, at most ``batch`` mails; one that fails is tried again later. Returns how many were sent."""
    sent = 0
    for mail in list(Mail.objects.raw(_TAKE, [batch])):
        _send(mail.order, mail.kind)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE orders_mail SET sent = now() WHERE id = %s", [mail.pk])
        sent += 1
    return sent


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
