"""Invariants of one order across the databases. A check answers None where it does not apply, "" where all is well,
and what is wrong otherwise.

The legal paths are written down once more, on purpose: an auditor that asks the code it audits proves nothing. A test
compares them with the service's own.
"""

from collections.abc import Callable
from functools import cache
from itertools import pairwise

from loadtest.auditor.cases import Case

_PAID = ("confirmed", "stock_committed", "completed", "shipped", "delivered")
NEXT = {
    "pending": ("reserved", "rejected", "cancelling"),
    "reserved": ("paying", "rejected", "cancelling"),
    "paying": ("paid", "rejected", "cancelling"),
    "paid": ("confirmed", "refunding"),
    "confirmed": ("stock_committed", "refunding"),
    "stock_committed": ("completed",),
    "completed": ("shipped", "refunding"),
    "shipped": ("delivered", "refunding"),
    "delivered": ("refunding",),
    "cancelling": ("cancelled",),
    "refunding": ("refunded",),
    "rejected": (),
    "cancelled": (),
    "refunded": (),
}
AT_REST = ("completed", "shipped", "delivered", "rejected", "cancelled", "refunded")
_FAILED = ("rejected", "cancelled", "refunded")
_SOLD = ("stock_committed", "completed", "shipped", "delivered")


def totals(case: Case) -> str | None:
    """Total = quantity × snapshot price; the payment is of the total."""
    order = case.order
    if order is None:
        return None
    if order.subtotal != (order.lines_sum or 0):
        return f"subtotal {order.subtotal}, lines {order.lines_sum or 0}"
    if order.total != order.adds_up_to:
        return f"total {order.total}, its parts {order.adds_up_to}"
    if order.payment and (order.amount, order.payment_currency) != (order.total, order.currency):
        return f"total {order.total} {order.currency}, payment {order.amount} {order.payment_currency}"
    return "" if order.has_snapshot or order.lines is None else "lines without a snapshot"


def events(case: Case) -> str | None:
    """The path begins at pending, takes legal steps only, and ends at the state."""
    if case.order is None:
        return None
    wrong = _wrong_path(case.order.path)
    last = next((word for word in reversed(case.order.path.split()) if word in NEXT), "")
    return wrong or ("" if last == case.order.state else f"state {case.order.state}, last event {last or 'none'}")


@cache
def _wrong_path(path: str) -> str:
    states = [word for word in path.split() if word in NEXT]
    if not states or states[0] != "pending":
        return f"begins with {states[0] if states else 'nothing'}"
    for before, after in pairwise(states):
        if after not in NEXT[before]:
            return f"{before} → {after}"
    return ""


def answers(case: Case) -> str | None:
    """At rest there is an answer to say again; nobody waits for one to an order that was abandoned."""
    order = case.order
    if order is None or order.state not in AT_REST or order.failure == "abandoned":
        return None
    return "" if order.answered else f"{order.state}, and its key has no answer"


def stuck(case: Case) -> str | None:
    """Nothing is on its way that did not move for the quiet time, and no reservation is held beyond its time."""
    order, reservation = case.order, case.reservation
    if reservation and reservation.overdue:
        return "its reservation is held beyond its time"
    if order is None:
        return None
    waiting = order.state not in AT_REST or (order.state == "completed" and order.cancel_requested)
    return f"{order.state}{', to be cancelled' if order.cancel_requested else ''}" if waiting else ""


def goods(case: Case) -> str | None:
    """Sold ⇔ promised, with the same lines."""
    order, reservation = case.order, case.reservation
    if order is None:
        if reservation is None or reservation.state not in ("held", "committed"):
            return None
        return f"a {reservation.state} reservation of no order"
    if order.state in _FAILED or reservation is None or reservation.state not in ("held", "committed"):
        return _missing_goods(case) if order.state in _SOLD else None
    if reservation.state == "committed" and order.state not in (*_PAID, "refunding"):
        return f"{order.state}, and its goods are sold"
    if reservation.state == "held" and order.state in _SOLD:
        return _missing_goods(case)
    return "" if reservation.lines == order.lines else f"{order.state}, other lines are {reservation.state}"


def _missing_goods(case: Case) -> str:
    assert case.order
    return f"{case.order.state}, its reservation is {case.reservation.state if case.reservation else 'missing'}"


def money(case: Case) -> str | None:
    """Charged ⇔ promised, of the total; an invoice is due or paid, and never charged."""
    order, charge = case.order, case.charge
    charged = charge is not None and charge.state == "succeeded"
    if order is None:
        return f"{charge.amount} {charge.currency} charged for no order" if charge and charged else None
    if order.state in ("pending", "reserved"):
        return f"{order.state}, and charged" if charged else ""
    if order.state not in ("paid", *_PAID):
        return None
    if order.method == "invoice":
        return "an invoice, and charged" if charged else _payment_is(case, "due", "paid")
    if charge is None or not charged:
        return f"{order.state}, its charge is {charge.state if charge else 'missing'}"
    if (charge.amount, charge.currency) != (order.total, order.currency):
        return f"total {order.total} {order.currency}, charged {charge.amount} {charge.currency}"
    return _payment_is(case, "paid")


def _payment_is(case: Case, *states: str) -> str:
    assert case.order
    return "" if case.order.payment in states else f"{case.order.state}, its payment is {case.order.payment}"


def failed_goods(case: Case) -> str | None:
    """Rejected, cancelled or refunded: nothing is held or sold, except what was shipped before the refund."""
    order = case.order
    if order is None or order.state not in _FAILED:
        return None
    held = case.reservation.state if case.reservation else ""
    if order.state == "refunded" and "shipped" in order.path.split():
        return "" if held == "committed" else f"refunded after it was shipped, its reservation is {held or 'missing'}"
    return f"{order.state}, its reservation is {held}" if held in ("held", "committed") else ""


def failed_money(case: Case) -> str | None:
    """Rejected, cancelled or refunded: no money moved, or it went back."""
    order = case.order
    if order is None or order.state not in _FAILED:
        return None
    if case.charge and case.charge.state == "succeeded":
        return f"{order.state}, and {case.charge.amount} {case.charge.currency} are charged"
    allowed = ("refunded", "voided") if order.state == "refunded" else (None, "declined", "voided")
    return "" if order.payment in allowed else f"{order.state}, its payment is {order.payment}"


def ledger_sales(case: Case) -> str | None:
    """The ledger tells the same story as the reservation's state."""
    reservation = case.reservation
    if reservation is None:
        return None
    sold, returned = reservation.state in ("committed", "returned"), reservation.state == "returned"
    if reservation.sales != (reservation.lines if sold else None):
        return f"{reservation.state}, and the ledger tells of {'other' if reservation.sales else 'no'} sales"
    if reservation.returns != (reservation.lines if returned else None):
        return f"{reservation.state}, and the ledger tells of {'other' if reservation.returns else 'no'} returns"
    return ""


CHECKS: dict[str, Callable[[Case], str | None]] = {
    "ledger-sales": ledger_sales,
    "totals": totals,
    "events": events,
    "answers": answers,
    "stuck": stuck,
    "goods": goods,
    "money": money,
    "failed-goods": failed_goods,
    "failed-money": failed_money,
}
