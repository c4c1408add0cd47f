"""Making one order true again after databases were restored that were not saved at the same moment.

The order's row is the authority for what was promised, the provider for what was paid. An order is completed where that
can be done, else cancelled or refunded; its own saga does it, after stock and the provider were brought to where the
saga can go on from. Every step may be repeated. An order that somebody is at work on is left to them.
"""

from dataclasses import dataclass
from uuid import UUID

from chassis import deadline
from chassis.errors import DomainError, Unavailable

from orders import clients, provider
from orders.domain import leases, lifecycle, saga, snapshots
from orders.domain.transitions import DEADLINE_SECONDS, Fenced, advance
from orders.models import Order, State

ACTOR = "reconcile"
_LIMIT_SECONDS = 30.0
_FAILED = [State.REJECTED, State.CANCELLED, State.REFUNDED]
_PROMISED = [State.COMPLETED, State.SHIPPED, State.DELIVERED]


@dataclass(frozen=True)
class Outcome:
    """What was done, in words; ``repaired`` is False where it has to be tried again or a person has to decide."""

    done: str
    repaired: bool = True


def reconcile(*, id: UUID) -> Outcome:
    """Completes, cancels or refunds the order; of an id that no order has, frees the goods and gives back the money."""
    order = Order.objects.filter(pk=id).first()
    try:
        with deadline.within(_LIMIT_SECONDS):
            if order is None:
                return Outcome(f"no such order any more: {_undo(id)}")
            if order.state in _FAILED:
                return Outcome(f"stays {order.status}: {_settle_failed(order)}")
            if order.state in _PROMISED and order.cancel_requested is None:
                return _keep_promise(order)
            return _carry_on(order)
    except Fenced:
        return Outcome("somebody else is at work on it", repaired=False)
    except (Unavailable, DomainError) as problem:
        return Outcome(f"not repaired: {problem.detail}", repaired=False)


def _undo(id: UUID) -> str:
    """Nothing is held, sold or charged under this id any more."""
    return f"{_free(id)}, {_no_money(id)}"


def _settle_failed(order: Order) -> str:
    """Failed and at rest: nothing is held, sold or charged, but for what was shipped before it was refunded."""
    if order.state == State.REFUNDED and order.events.filter(event=State.SHIPPED).exists():
        booked = "booked out, they were shipped" if _sold(order) else "missing in stock: receive them first"
        return f"its goods are {booked}; {_no_money(order.pk)}"
    return _undo(order.pk)


def _keep_promise(order: Order) -> Outcome:
    """At rest and promised: paid, sold, out of the cart; what cannot be is refunded."""
    if not _paid(order):
        return _refund(order, "the provider knows of no payment")
    if not _sold(order):
        if order.state != State.COMPLETED:
            return Outcome("shipped, but stock does not have the goods to book out: receive them first", repaired=False)
        return _refund(order, "the goods are gone")
    clients.consume(cart=order.cart, order=order.pk, lines=snapshots.quantities(snapshots.lines_of(order)))
    return Outcome("completed: its goods are sold, its money is there, its cart is empty of it")


def _carry_on(order: Order) -> Outcome:
    """Under way: its saga goes on, over what the other databases have forgotten or are ahead with."""
    leased = leases.take(id=order.pk)
    if leased is None:
        raise Fenced(order.pk)
    try:
        with deadline.within(DEADLINE_SECONDS):
            return _carried_on(leased)
    except Unavailable:
        leases.let_go(leased)
        raise


def _carried_on(order: Order) -> Outcome:
    was = order.state
    if order.state == State.PENDING and order.cart_version is None:
        # Others may be ahead, but at which prices it was sold is lost.
        undone = _undo(order.pk)
        order.given_up = True
        saga.Run(order=order, actor=ACTOR).go_on()
        return Outcome(f"{order.state} out of {was}, before its prices were written down: {undone}")
    if order.state in (State.PAYING, State.PAID, State.CONFIRMED, State.STOCK_COMMITTED):
        _sold(order, commit=False)
    if order.state == State.CANCELLING:
        _free(order.pk)
    if order.state in (State.PAID, State.CONFIRMED) and not _paid(order):
        provider.void(key=order.pk)
        advance(order, State.REFUNDING, actor=ACTOR, note="the provider knows of no payment")
    if order.state == State.REFUNDING and order.method == "test" and _charge(order) is None:
        provider.void(key=order.pk)
    saga.Run(order=order, actor=ACTOR).go_on()
    if order.state in _FAILED:
        return Outcome(f"{order.state} out of {was}: {_settle_failed(order)}")
    if order.state in _PROMISED:
        kept = _keep_promise(order)
        return Outcome(f"out of {was}: {kept.done}", kept.repaired)
    return Outcome(f"{order.state} out of {was}", repaired=False)


def _refund(order: Order, why: str) -> Outcome:
    """Ends a promise that cannot be kept. A charge that the provider forgot is void, so that it can be given back."""
    if _charge(order) is None and order.method == "test":
        provider.void(key=order.pk)
    ended = lifecycle.refund(order=order, actor=ACTOR)
    return Outcome(f"{ended.status}: {why}", repaired=ended.state == State.REFUNDED)


def _charge(order: Order) -> str | None:
    return provider.look_up(key=order.pk) if order.method == "test" else None


def _paid(order: Order) -> bool:
    return order.method == "invoice" or _charge(order) == provider.SUCCEEDED


def _sold(order: Order, *, commit: bool = True) -> bool:
    """Whether the order's goods are (reserved and) booked out under its id, now at the latest."""
    answer = clients.reserve(order=order.pk, lines=snapshots.quantities(snapshots.lines_of(order)))
    if answer.status == 410 or answer.code in ("insufficient_stock", "reservation_conflict"):
        return False
    if answer.ok and commit:
        answer = clients.commit(order=order.pk)
    if not answer.ok:
        raise Unavailable(f"stock answered {answer.status} {answer.code}")
    return True


def _free(id: UUID) -> str:
    answer = clients.release(order=id)
    if answer.code == "reservation_committed":
        answer = clients.give_back(order=id)
    if not answer.ok:
        raise Unavailable(f"stock answered {answer.status} {answer.code}")
    return "goods put back" if answer.body["state"] == "returned" else "nothing is held"


def _no_money(id: UUID) -> str:
    if provider.look_up(key=id) != provider.SUCCEEDED:
        return "nothing is charged"
    provider.refund(key=id)
    return "money given back"
