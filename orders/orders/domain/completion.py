"""What an order needs once it is confirmed, and whoever else was left on its way: they come to rest.

Confirmed orders of the same moment go together: stock sells, the carts let go, and one statement writes it down. Most
of what that costs an order by itself is what any call and any transaction cost. Whatever does not go together goes by
itself, step by step (``saga``), here or at the worker's.
"""

from collections.abc import Callable, Sequence
from uuid import UUID

from chassis import deadline, faults
from chassis.errors import Unavailable
from chassis.rounds import Rounds
from django.db import connection

from orders import clients, metrics
from orders.domain import leases, snapshots
from orders.domain.saga import Run
from orders.domain.transitions import DEADLINE_SECONDS, Fenced, complete_all
from orders.models import State


def sell(runs: Sequence[Run]) -> None:
    """Sells the goods of confirmed orders and tells each run whose are ``sold``. Raises ``Unavailable``."""
    faults.point("orders.confirmed")
    with metrics.timed(State.CONFIRMED):
        sold = clients.commit_all(orders=[run.order.pk for run in runs])
    for run in runs:
        run.sold = run.order.pk in sold


def complete(runs: Sequence[Run]) -> None:
    """Confirmed orders, each leased to its run, come to rest; where a service does not answer, the worker goes on."""
    left: list[Run] = []
    _while_leased(runs, lambda: left.extend(_completed(runs)))
    for run in left:
        drive(run)


def go_on(*, batch: int = 10) -> int:
    """The worker's part: goes on with orders that nobody is at work on; returns how many came further."""
    moved = 0
    for _ in range(batch):
        if (order := leases.due()) is None:
            break
        before = order.state
        drive(Run(order=order, actor="worker"))
        moved += order.state != before
    return moved


def resume(*, id: UUID) -> None:
    """Goes on with one order now, after whoever is at it; what cannot be done now, the worker does."""
    if order := leases.take_in_turn(id=id):
        drive(Run(order=order))


def drive(run: Run) -> None:
    """Steps until the order rests, has to wait, or is somebody else's."""
    _while_leased([run], run.go_on)


def _completed(runs: Sequence[Run]) -> list[Run]:
    """Does together what goes together; returns the others."""
    if unsold := [run for run in runs if not run.sold]:
        sell(unsold)
    if not (ready := [run for run in runs if run.sold]):
        return list(runs)
    faults.point("orders.stock_committed")
    with metrics.timed(State.STOCK_COMMITTED):
        clients.consume_all(
            [
                {"order": run.order.pk, "cart": run.order.cart, "lines": snapshots.quantities(run.lines())}
                for run in ready
            ]
        )
    done = complete_all([(run.order, run.actor) for run in ready])
    return [run for run in runs if run.order.pk not in done]


def _while_leased(runs: Sequence[Run], act: Callable[[], None]) -> None:
    """Acts within the deadline; where that has to wait or goes wrong, the leases end: others may go on."""
    try:
        with deadline.within(DEADLINE_SECONDS):
            act()
    except Fenced:
        return
    except Exception as error:
        if connection.errors_occurred:
            connection.close_if_unusable_or_obsolete()
        for run in runs:  # else they would stand first in the queue again when their leases are over
            leases.let_go(run.order)
        if not isinstance(error, Unavailable):
            raise


COMPLETIONS = Rounds(complete, every=0.05, most=50)
"""Confirmed orders on their way to rest: twenty rounds a second carry what a thousand orders a second confirm."""
