"""The money of an order: charge, void, refund. What is unknown is asked for, never guessed and never charged anew."""

from datetime import timedelta

from chassis.errors import Unavailable
from django.db.models.functions import Now

from orders import provider
from orders.domain.refusals import PaymentDeclined
from orders.models import Order, Payment

GIVE_UP = timedelta(minutes=15)
"""How long a payment may stay unknown before it is voided."""
_DECLINED = "The payment was declined and nothing was charged. Try again with a new Idempotency-Key."
_FAILED = "The payment provider could not charge, and nothing was charged. Try again with a new Idempotency-Key."


def settle(order: Order, *, first: bool) -> str:
    """Sees to it that the order is paid, and returns the payment's new state: ``paid``, or ``due`` for an invoice.

    ``first`` says that nobody can have tried before; otherwise the provider is asked before anything is sent. Raises
    ``PaymentDeclined`` when it is certain that no money moved, and ``Unavailable`` when nothing is certain yet.
    """
    if order.method == "invoice":
        return Payment.State.DUE
    outcome = _charge(order, first=first)
    if outcome == provider.SUCCEEDED:
        return Payment.State.PAID
    raise PaymentDeclined(_DECLINED if outcome == provider.DECLINED else _FAILED)


def withdraw(order: Order) -> bool:
    """For an order that is to be cancelled while paying: whether money moved. If not, none ever will."""
    if order.method == "invoice":
        return False
    outcome = provider.look_up(key=order.pk)
    if outcome == provider.SUCCEEDED:
        return True
    if outcome in (provider.DECLINED, provider.ERROR, provider.VOIDED):
        return False
    provider.void(key=order.pk)
    return False


def give_back(order: Order, payment: Payment) -> str:
    """Undoes what was paid and returns the payment's new state: ``refunded``, or ``voided`` for an unpaid invoice."""
    if payment.state in (Payment.State.DUE, Payment.State.VOIDED):
        return Payment.State.VOIDED
    if order.method == "test":
        provider.refund(key=order.pk)
    return Payment.State.REFUNDED


def _charge(order: Order, *, first: bool) -> str:
    """The certain outcome of the charge."""
    known = None if first else provider.look_up(key=order.pk)
    if known is not None:
        return known
    if not first and _is_overdue(order):
        return provider.void(key=order.pk)
    try:
        return provider.charge(key=order.pk, amount=order.total, currency=order.currency, token=order.token)
    except Unavailable:
        known = provider.look_up(key=order.pk)
        if known is None:  # it never arrived: the next attempt sends it again, under the same key
            raise
        return known


def _is_overdue(order: Order) -> bool:
    return Payment.objects.filter(order=order, created__lt=Now() - GIVE_UP).exists()
