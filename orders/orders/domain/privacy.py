"""What a customer may ask of everybody who holds their data: a copy (GDPR, article 15), and erasure (article 17).

Accounting law keeps orders, so they are not deleted: lines, amounts, times, the country and the id of an account that
names nobody any more stay; e-mail, name and address go, once nothing has to be delivered or collected any more.
"""

from typing import Any
from uuid import UUID

from chassis.errors import DomainError
from chassis.idempotency.models import IdempotencyRecord
from django.db import connection, transaction

from orders.domain import orders
from orders.models import ERASED, Mail, Order


class OrdersUnderWay(DomainError):
    """Something is still to be paid, sent or given back, for which one has to know to whom. Ask again later."""

    code, title = "orders_under_way", "There are orders under way"


# One statement, so that it sees each order either before or after a step; an order that moves on is done next time.
_ERASE = """
    UPDATE orders_order o SET email = %(erased)s, token = '', shipping_address = jsonb_build_object(
        'name', '', 'line1', '', 'line2', '', 'city', '', 'postal_code', '', 'country', shipping_address -> 'country')
    WHERE customer = %(customer)s AND email <> %(erased)s
        AND state IN ('shipped', 'delivered', 'rejected', 'cancelled', 'refunded')
        AND NOT EXISTS (SELECT FROM orders_payment p WHERE p.order_id = o.id AND p.state IN ('initiated', 'due')
                        AND o.state IN ('shipped', 'delivered'))
    RETURNING id, idempotency_id
"""


def held(*, customer: UUID) -> list[dict[str, Any]]:
    """All that is held of the customer: their orders as they see them, with what happened, oldest first."""
    rows = list(orders.search(customer=customer).prefetch_related("events").order_by("created", "id"))
    documents = zip(orders.documents_of(rows), rows, strict=True)
    return [document | {"events": orders.events(order=row)} for document, row in documents]


def erase(*, customer: UUID) -> None:
    """Takes the person out of the orders at rest, with stored answers and unsent mails. May be repeated.

    Raises ``OrdersUnderWay`` where some are left; those at rest are done then.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_ERASE, {"customer": customer, "erased": ERASED})
            done = cursor.fetchall()
        Mail.objects.filter(order__in=[row[0] for row in done], sent=None).delete()
        IdempotencyRecord.objects.filter(pk__in=[row[1] for row in done if row[1]]).delete()
    left = Order.objects.filter(customer=customer).exclude(email=ERASED).count()
    if left:
        raise OrdersUnderWay(f"{left} orders are not at rest yet.", left=left)
