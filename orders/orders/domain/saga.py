"""An order from its first row to rest, a step a function. Each may be repeated, after a crash or by another process.
No transaction is open while a step calls somebody; what it learned is written by one fenced statement. The last two
steps of orders that are confirmed at the same time are made together (``completion``).

    PENDING → RESERVED → PAYING → PAID → CONFIRMED → STOCK_COMMITTED → COMPLETED
       └── before PAID: REJECTED, or CANCELLING → CANCELLED       after PAID: REFUNDING → REFUNDED
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chassis import faults
from chassis.errors import DomainError, Unavailable
from django.db import IntegrityError

from orders import clients, metrics
from orders.domain import answers, payments, refusals, snapshots
from orders.domain.transitions import Along, advance, advance_through
from orders.models import Order, OrderLine, Payment, State


@dataclass
class Run:
    """One run of the saga over an order that is leased to us; ``answer`` is what was stored for the client, if so."""

    order: Order
    actor: str = "orders"
    fresh: bool = False
    """Nobody else can have worked on this order: what is not written was not tried."""
    answer: answers.Answer | None = None
    unwritten: bool = False
    """The snapshot is taken, and goes with the next thing that is written."""
    held: bool = False
    """This run has set goods aside, or may have. Before a fresh one nobody did."""
    sold: bool = False
    """The goods of a confirmed order have left the shelf, though that is not written yet."""

    def go_on(self, *, answer: bool = False) -> None:
        """Steps until the order is at rest, or with ``answer`` until there is one for the client.

        Raises ``Unavailable`` if a step has to wait, ``Fenced`` if we lost it.
        """
        while (step := self._next()) and not (answer and self.answer):
            try:
                with metrics.timed(self.order.state):
                    step(self)
            except Unavailable:
                raise
            except DomainError as refusal:
                reject(self, refusal)

    def _next(self) -> "Callable[[Run], None] | None":
        state = State(self.order.state)
        if self.order.cancel_requested and (step := _ON_CANCEL.get(state)):
            return step
        return _STEPS.get(state)

    def lines(self) -> list[OrderLine]:
        """The snapshot's lines."""
        return snapshots.lines_of(self.order)


def reserve(run: Run) -> None:
    """PENDING: reads cart and prices, sets the goods aside, and writes the snapshot with that."""
    order = run.order
    if order.given_up:
        raise refusals.Abandoned("The client was told to try again and did not.")
    if order.cart_version is None:  # the release before this one wrote it down before it reserved
        snapshots.take(order)
        run.unwritten = True
    faults.point("orders.reserving")
    _reserve(run)
    faults.point("orders.reserved")
    try:
        _enter_reserved(run)
    except IntegrityError as error:
        if "order_one_per_cart_version" not in str(error):
            raise
        raise refusals.CartAlreadyOrdered("What was in this cart has been ordered.") from None


def _enter_reserved(run: Run) -> None:
    order, (along, columns) = run.order, _snapshot(run)
    both, begun = (State.RESERVED, State.PAYING), _payment_begun(order).joined(along)
    if not (_straight(run) and advance_through(order, *both, actor=run.actor, along=begun, columns=columns)):
        advance(order, State.RESERVED, actor=run.actor, along=along, columns=columns)
    run.unwritten = False


def start_payment(run: Run) -> None:
    """RESERVED: writes down that a payment will be tried, before it is."""
    order = run.order
    if order.given_up:
        raise refusals.Abandoned("The client was told to try again and did not.")
    if not run.fresh:  # some of the reservation's time may be over: renew it before anything is charged
        _reserve(run)
    advance(order, State.PAYING, actor=run.actor, along=_payment_begun(order))


def _reserve(run: Run) -> None:
    """Sets the goods aside, or renews that. Raises the refusals that stock's answer means."""
    run.held = True
    answer = clients.reserve(order=run.order.pk, lines=snapshots.quantities(run.lines()))
    if answer.code == "insufficient_stock":
        run.held = not answer.once
        raise refusals.insufficient(answer.body["lines"])
    if answer.status == 410:
        raise refusals.Abandoned("The reservation was given up.")
    if answer.code == "reservation_conflict":  # the attempt before did not come to write down what it had reserved
        raise refusals.Abandoned("The cart was changed since. Please try again.")
    if not answer.ok:
        raise Unavailable(f"stock answered {answer.status} {answer.code}")


def pay(run: Run) -> None:
    """PAYING: charges, or finds out what became of an earlier charge."""
    faults.point("orders.charging")
    order, state = run.order, payments.settle(run.order, first=run.fresh)
    faults.point("orders.charged")
    order.token = ""
    if _straight(run):
        answer = answers.confirmed(order, run.lines(), Payment(order=order, state=state))
        along = _payment(state, _promise(order, answer))
        if advance_through(order, State.PAID, State.CONFIRMED, actor=run.actor, along=along, columns=["token"]):
            return _promised(run, answer)
    advance(order, State.PAID, actor=run.actor, along=_payment(state), columns=["token"])


def confirm(run: Run) -> None:
    """PAID: the promise. The state, the event, the mail to be sent and the stored answer are one transaction."""
    answer = answers.confirmed(run.order, run.lines(), Payment.objects.get(order=run.order))
    advance(run.order, State.CONFIRMED, actor=run.actor, along=_promise(run.order, answer))
    _promised(run, answer)


def _promise(order: Order, answer: answers.Answer) -> Along:
    return answers.stored(order, answer).add(
        "mail AS (INSERT INTO orders_mail (order_id, kind) SELECT id, 'confirmation' FROM moved)"
    )


def _promised(run: Run, answer: answers.Answer) -> None:
    run.answer = answer
    metrics.REVENUE.labels(run.order.currency).inc(run.order.total)


def commit_stock(run: Run) -> None:
    """CONFIRMED: the goods leave the shelf; where they are gone after all, the money goes back."""
    faults.point("orders.confirmed")
    answer = clients.commit(order=run.order.pk)
    if answer.ok:
        advance(run.order, State.STOCK_COMMITTED, actor=run.actor)
    elif answer.code in _GONE:
        advance(run.order, State.REFUNDING, actor=run.actor, note="The goods are gone.")
    else:
        raise Unavailable(f"stock answered {answer.status} {answer.code}")


def consume_cart(run: Run) -> None:
    """STOCK_COMMITTED: what was ordered leaves the cart; what was added meanwhile stays."""
    faults.point("orders.stock_committed")
    clients.consume(cart=run.order.cart, order=run.order.pk, lines=snapshots.quantities(run.lines()))
    advance(run.order, State.COMPLETED, actor=run.actor)


def start_cancelling(run: Run) -> None:
    """Before any payment was tried: nothing was charged and nothing will be."""
    advance(run.order, State.CANCELLING, actor=run.actor)


def cancel_while_paying(run: Run) -> None:
    """PAYING: first finds out whether money moved. If so the order is paid, and refunded from there."""
    if payments.withdraw(run.order):
        advance(run.order, State.PAID, actor=run.actor, along=_payment(Payment.State.PAID))
    else:
        advance(run.order, State.CANCELLING, actor=run.actor, along=_payment(Payment.State.VOIDED))


def cancel(run: Run) -> None:
    """CANCELLING: goods and cart are free again."""
    _release(run.order)
    clients.end_checkout(cart=run.order.cart, order=run.order.pk)
    run.answer = answers.refused(refusals.OrderCancelled("The order was cancelled before it was confirmed."))
    advance(run.order, State.CANCELLED, actor=run.actor, along=answers.stored(run.order, run.answer))


def start_refund(run: Run) -> None:
    """A paid order that is to be cancelled: the money goes back, then the goods."""
    advance(run.order, State.REFUNDING, actor=run.actor, note="cancelled")


def refund(run: Run) -> None:
    """REFUNDING: money first, then the goods if they were never shipped."""
    order = run.order
    payment = Payment.objects.get(order=order)
    state = payments.give_back(order, payment)
    entered = set(order.events.values_list("event", flat=True))
    if State.SHIPPED not in entered:
        _take_back(order)
    if State.STOCK_COMMITTED not in entered:
        clients.end_checkout(cart=order.cart, order=order.pk)
    # Where it was confirmed in this very run, that is what its client is told, now and ever after.
    if run.answer is None:
        run.answer = answers.refused(refusals.OrderCancelled("The order was cancelled and the money given back."))
    along = answers.stored(order, run.answer).add(
        "mail AS (INSERT INTO orders_mail (order_id, kind) SELECT id, 'refunded' FROM moved)"
    )
    advance(order, State.REFUNDED, actor=run.actor, along=_payment(state, along))


def reject(run: Run, refusal: DomainError) -> None:
    """A definitive no, before anything was paid: goods and cart are freed, then the answer is stored.

    If they cannot be freed now, the order stays where it is, and whoever goes on with it comes to the same end.
    """
    order = run.order
    if run.held or not run.fresh:
        _release(order)
    # Without its cart nothing can have been begun, unless somebody was at work on it before.
    if not (run.fresh and isinstance(refusal, refusals.CartNotFound)):
        clients.end_checkout(cart=order.cart, order=order.pk)
    run.answer = answers.refused(refusal)
    order.failure, order.token = answers.reason(refusal), ""
    along, columns = _snapshot(run)
    if not isinstance(refusal, refusals.Abandoned):
        along.joined(answers.stored(order, run.answer))
    if order.state == State.PAYING:
        declined = isinstance(refusal, refusals.PaymentDeclined)
        _payment(Payment.State.DECLINED if declined else Payment.State.VOIDED, along)
    columns = [*columns, "failure", "token"]
    advance(order, State.REJECTED, actor=run.actor, note=refusal.code, along=along, columns=columns)


def _release(order: Order) -> None:
    """Nothing is held for the order, nor will be: stock remembers the id as spent."""
    _expect(clients.release(order=order.pk).status, 200)


def _take_back(order: Order) -> None:
    """Goods that were sold are on the shelf again, others are free. Stock knows which: its answer may be lost."""
    answer = clients.give_back(order=order.pk)
    if answer.code in ("reservation_not_found", "reservation_not_committed"):
        answer = clients.release(order=order.pk)
    _expect(answer.status, 200)


def _expect(status: int, wanted: int) -> None:
    if status != wanted:
        raise Unavailable(f"stock answered {status}")


def _straight(run: Run) -> bool:
    """Whether states between which nothing is to be done are entered by one statement: where all goes well."""
    return run.fresh


def _snapshot(run: Run) -> tuple[Along, Sequence[str]]:
    """What is still to be written of the order's snapshot."""
    return (snapshots.written(run.order), snapshots.COLUMNS) if run.unwritten else (Along(), ())


def _payment_begun(order: Order) -> Along:
    return Along().add(
        """payment AS (INSERT INTO orders_payment (order_id, state, amount, currency)
           SELECT id, 'initiated', %(amount)s, %(currency)s FROM moved)""",
        amount=order.total,
        currency=order.currency,
    )


def _payment(state: str, along: Along | None = None) -> Along:
    clause = """payment AS (
        UPDATE orders_payment SET state = %(paid)s, updated = now() FROM moved WHERE order_id = moved.id)"""
    return (along or Along()).add(clause, paid=state)


_GONE = ("reservation_not_found", "reservation_released", "insufficient_stock")
"""What stock says of a reservation that cannot be sold."""
_STEPS: dict[State, Callable[[Run], None]] = {
    State.PENDING: reserve,
    State.RESERVED: start_payment,
    State.PAYING: pay,
    State.PAID: confirm,
    State.CONFIRMED: commit_stock,
    State.STOCK_COMMITTED: consume_cart,
    State.CANCELLING: cancel,
    State.REFUNDING: refund,
}
_ON_CANCEL: dict[State, Callable[[Run], None]] = {
    State.PENDING: start_cancelling,
    State.RESERVED: start_cancelling,
    State.PAYING: cancel_while_paying,
    State.PAID: start_refund,
    State.COMPLETED: start_refund,
}
