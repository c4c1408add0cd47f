"""The faults: what is done to the shop, and when. Every one is followed by healing and an audit."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from loadtest.faults import injections
from loadtest.faults.stage import Stage


@dataclass(frozen=True)
class Fault:
    """``play`` injects the fault and returns when it is over; ``disarm`` of the stage heals what is left of it."""

    name: str
    moment: str
    play: Callable[[Stage, random.Random], None]
    short: bool = False
    """Whether the short run, a part of `make test`, has it too."""


KILL_POINTS = [
    ("before the first transaction", "orders.received", "kill", ""),
    ("after the first transaction", "orders.placed", "kill", ""),
    ("after cart and prices were read", "orders.reserving", "kill", ""),
    ("reserve sent, no answer read", "orders.reserving", "kill 0.4", "stock"),
    ("reserved, not written", "orders.reserved", "kill", ""),
    ("payment sent, no answer read", "orders.charging", "kill 0.4", "payment"),
    ("paid, not written", "orders.charged", "kill", ""),
    ("confirmed, stock not committed", "orders.confirmed", "kill", ""),
    ("committed, cart not consumed", "orders.stock_committed", "kill", ""),
    ("all done, answer not sent", "orders.answering", "kill", ""),
]

_LATE: dict[str, float] = {"reply_delay": 1.0}
CANCELLED_WHEN: dict[str, tuple[str, dict[str, float]]] = {
    "pending": ("stock", _LATE),
    "paying": ("payment", _LATE),
    "confirmed": ("stock", _LATE),
    "stock_committed": ("cart", {"cut": True}),
    "completed": ("cart", {}),
}
"""The state in which orders are cancelled, and the weather at a service that lets some be found in it."""

FAULTS: list[Fault] = [
    *(Fault("kill -9 orders", moment, injections.at_point(*how), short=True) for moment, *how in KILL_POINTS),
    Fault("kill -9 stock", "before its commit", injections.at_point("stock.committing"), short=True),
    Fault("kill -9 stock", "after its commit", injections.at_point("stock.committed"), short=True),
    Fault("kill -9 stock", "during its commits", injections.kill_often("stock", 6)),
    Fault("kill -9 orders", "at any moment", injections.kill_often("orders", 6)),
    Fault("kill -9 cart", "at any moment", injections.kill_often("cart", 4)),
    Fault("SIGSTOP orders", "longer than a lease", injections.freeze_orders),
    Fault("two workers", "with work for both", injections.two_workers, short=True),
    Fault("reply of stock late", "beyond the time-out", injections.weather("stock", 8, reply_delay=6.0)),
    Fault("reply of payment late", "beyond the time-out", injections.weather("payment", 8, reply_delay=6.0)),
    Fault("reply of stock lost", "the request arrived", injections.weather("stock", 5, drop_replies=10)),
    Fault("reply of cart lost", "the request arrived", injections.weather("cart", 5, drop_replies=10)),
    Fault("provider's reply lost", "asked again and again", injections.same_callback_twice, short=True),
    Fault("orders cut off from stock", "for 60 s", injections.weather("stock", 60, cut=True)),
    Fault("orders cut off from stock", "for 8 s", injections.weather("stock", 8, cut=True), short=True),
    Fault("orders cut off from payment", "for 20 s", injections.weather("payment", 20, cut=True)),
    Fault("orders cut off from cart", "for 20 s", injections.weather("cart", 20, cut=True)),
    Fault("reservation expires", "during payment", injections.expire_while_paying, short=True),
    Fault("sweeper against commit", "at every commit", injections.sweep_while_committing),
    *(
        Fault("cancel, twice", at, injections.cancel(at, service, **bad))
        for at, (service, bad) in CANCELLED_WHEN.items()
    ),
    Fault("kill -9 a PostgreSQL backend", "under load", injections.kill_backend, short=True),
    Fault("PostgreSQL stopped", "for 10 s", injections.stop(["postgres"], 10)),
    Fault("PostgreSQL out of connections", "for 8 s", injections.exhaust_connections),
    Fault("one products instance killed", "under load", injections.kill_often("products-1", 4)),
    Fault("all products down", "for 8 s", injections.stop(["products-1", "products-2"], 8)),
    Fault("clock of orders", "an hour ahead", injections.clock("orders", "+1h")),
    Fault("clock of stock", "an hour behind", injections.clock("stock", "-1h")),
    Fault("every service reloaded", "every 5 s", injections.reload_often),
    Fault("200 ms and 2 % resets", "between services", injections.everywhere(15, delay=0.2, resets=0.02)),
]
