"""The faults: what each does to the shop, and how that is taken back. Every one is followed by healing and an audit."""

import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import urllib3
from local.venv import PYTHON, ROOT

from loadtest.faults.stage import Stage

HIT_SECONDS = 20.0


class NotInjected(Exception):
    """The fault did not come about: the run proves nothing about it, so it fails."""


@dataclass(frozen=True)
class Fault:
    """``play`` injects the fault and returns when it is over; ``disarm`` of the stage heals what is left of it."""

    name: str
    moment: str
    play: Callable[[Stage, random.Random], None]
    short: bool = False
    """Whether the short run, a part of `make test`, has it too."""


def _until(condition: Callable[[], bool], what: str, seconds: float = HIT_SECONDS) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends:
            raise NotInjected(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.02)


def _at_point(point: str, act: str = "kill", slow: str = "") -> Callable[[Stage, random.Random], None]:
    """Arms a point and waits until somebody came by; ``slow`` holds back a service's replies meanwhile."""

    def play(stage: Stage, chance: random.Random) -> None:
        if slow:
            stage.proxies[slow].weather.reply_delay = 1.0
        stage.arm(point, act)
        _until(lambda: stage.was_hit(point), f"{point} to be hit")
        time.sleep(1.0)

    return play


def _weather(service: str, seconds: float, **changes: float) -> Callable[[Stage, random.Random], None]:
    def play(stage: Stage, chance: random.Random) -> None:
        for name, value in changes.items():
            setattr(stage.proxies[service].weather, name, value)
        time.sleep(seconds)

    return play


def _everywhere(seconds: float, **changes: float) -> Callable[[Stage, random.Random], None]:
    def play(stage: Stage, chance: random.Random) -> None:
        for proxy in stage.proxies.values():
            for name, value in changes.items():
                setattr(proxy.weather, name, value)
        time.sleep(seconds)

    return play


def _kill_often(name: str, times: int) -> Callable[[Stage, random.Random], None]:
    """Kills what answers requests, at random moments."""

    def play(stage: Stage, chance: random.Random) -> None:
        for _ in range(times):
            for pid in stage.worker_pids(name):
                stage.kill(pid)
            time.sleep(chance.uniform(0.5, 1.5))

    return play


def _stop(names: list[str], seconds: float) -> Callable[[Stage, random.Random], None]:
    def play(stage: Stage, chance: random.Random) -> None:
        for name in names:
            stage.shop.stop(name)
        time.sleep(seconds)
        for name in names:
            stage.shop.start(name)

    return play


def _freeze_orders(stage: Stage, chance: random.Random) -> None:
    """Longer than a lease: the worker takes over, and what wakes up must not write."""
    stage.proxies["stock"].weather.reply_delay = 0.5
    time.sleep(1.0)
    frozen = stage.worker_pids("orders")
    for pid in frozen:
        stage.kill(pid, signal.SIGSTOP)
    time.sleep(18)
    for pid in frozen:
        stage.kill(pid, signal.SIGCONT)
    time.sleep(2)


def _two_workers(stage: Stage, chance: random.Random) -> None:
    """A second worker beside the first, while there is work for both."""
    stage.proxies["stock"].weather.cut = True
    time.sleep(4)
    stage.proxies["stock"].heal()
    environment = stage.shop.env("orders-worker") | {"METRICS_BIND": ""}
    command = stage.shop.user.command(PYTHON, "manage.py", "worker")
    second = subprocess.Popen(  # noqa: S603 - our own worker
        command, cwd=ROOT / "orders", env=environment, stdout=subprocess.DEVNULL
    )
    time.sleep(8)
    second.terminate()
    second.wait(30)


def _kill_backend(stage: Stage, chance: random.Random) -> None:
    """kill -9 of one backend: the whole server goes through crash recovery."""
    with stage.database("postgres") as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = 'orders' AND backend_type = 'client backend'")
        pids = [row[0] for row in cursor.fetchall()]
    if not pids:
        raise NotInjected("no backend of orders was found")
    stage.kill(chance.choice(pids))
    time.sleep(3)


def _exhaust_connections(stage: Stage, chance: random.Random) -> None:
    """Every connection that is left is taken, for eight seconds."""
    url = (stage.shop.state.secrets / "cart" / "url").read_text().strip()
    with ExitStack() as held:
        taken = 0
        while True:
            try:
                connection = psycopg2.connect(url, connect_timeout=2)
            except psycopg2.OperationalError:
                break
            held.callback(connection.close)
            taken += 1
        if not taken:
            raise NotInjected("no connection was free to be taken")
        for pid in stage.worker_pids("orders") + stage.worker_pids("stock"):
            stage.kill(pid)  # whoever comes back finds no connection
        time.sleep(8)


def _expire_while_paying(stage: Stage, chance: random.Random) -> None:
    """The payment takes long, and all that is reserved runs out meanwhile; the worker of stock frees it."""
    stage.proxies["payment"].weather.reply_delay = 2.0
    ends, expired = time.monotonic() + 8, 0
    while time.monotonic() < ends:
        with stage.database("stock") as cursor:
            cursor.execute("UPDATE stock_reservation SET expires = now() - interval '1 s' WHERE state = 'held'")
            expired += cursor.rowcount
        time.sleep(0.2)
    if not expired:
        raise NotInjected("nothing was held while paying")


def _sweep_while_committing(stage: Stage, chance: random.Random) -> None:
    """Reservations run out just when they are committed."""
    ends, expired = time.monotonic() + 6, 0
    while time.monotonic() < ends:
        with stage.database("stock") as cursor:
            cursor.execute("UPDATE stock_reservation SET expires = now() - interval '1 s' WHERE state = 'held'")
            expired += cursor.rowcount
        time.sleep(0.02)
    if not expired:
        raise NotInjected("nothing was held")


def _cancel(state: str, service: str, **changes: float) -> Callable[[Stage, random.Random], None]:
    """Cancels orders twice while they are in a state, or have just left it."""

    def play(stage: Stage, chance: random.Random) -> None:
        token = _staff(stage)
        for name, value in changes.items():
            setattr(stage.proxies[service].weather, name, value)
        cancelled, ends = 0, time.monotonic() + 12
        while cancelled < 5 and time.monotonic() < ends:
            for id in _orders_in(stage, state):
                for _ in range(2):
                    http.request("POST", f"{stage.shop.url}/api/v1/orders/{id}/cancel", headers=token)
                cancelled += 1
            time.sleep(0.05)
        if not cancelled:
            raise NotInjected(f"no order was seen {state}")

    http = urllib3.PoolManager(retries=False, timeout=20)
    return play


def _orders_in(stage: Stage, state: str) -> Iterator[str]:
    with stage.database("orders") as cursor:
        cursor.execute(
            "SELECT id FROM orders_order WHERE state = %s AND cancel_requested IS NULL ORDER BY created DESC LIMIT 2",
            [state],
        )
        yield from (str(row[0]) for row in cursor.fetchall())


def _staff(stage: Stage) -> dict[str, str]:
    secrets: Path = stage.shop.state.secrets
    body = {
        "email": (secrets / "staff_email").read_text().strip(),
        "password": (secrets / "staff_password").read_text().strip(),
    }
    answer = urllib3.request("POST", f"{stage.shop.url}/api/v1/customers/token", json=body)
    return {"Authorization": f"Bearer {answer.json()['access']}"}


def _clock(name: str, shift: str) -> Callable[[Stage, random.Random], None]:
    """Starts a process whose clock is wrong; deciding clocks are the databases', so nothing untrue may come of it."""

    def play(stage: Stage, chance: random.Random) -> None:
        import libfaketime

        library = Path(libfaketime.__file__).parent / "vendor" / "libfaketime" / "src" / "libfaketime.so.1"
        usual = stage.shop.extra.get(name, {})
        wrong = {"LD_PRELOAD": str(library), "FAKETIME": shift, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        stage.shop.restart(name, usual | wrong)
        time.sleep(6)
        stage.shop.restart(name, usual)

    return play


def _reload_often(stage: Stage, chance: random.Random) -> None:
    """Every service takes new code every five seconds."""
    for _ in range(4):
        for name in ("products-1", "products-2", "stock", "customers", "cart", "orders"):
            stage.shop.signal(name, signal.SIGHUP)
        time.sleep(5)


def _same_callback_twice(stage: Stage, chance: random.Random) -> None:
    """The provider is asked and told the same again and again: its replies to charges are lost, each is asked for."""
    stage.proxies["payment"].weather.drop_replies = 20
    time.sleep(6)


KILL_POINTS = [
    ("before the first transaction", "orders.received", "kill", ""),
    ("after the first transaction", "orders.placed", "kill", ""),
    ("after the snapshot", "orders.snapshotted", "kill", ""),
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
    *(Fault("kill -9 orders", moment, _at_point(*how), short=True) for moment, *how in KILL_POINTS),
    Fault("kill -9 stock", "before its commit", _at_point("stock.committing"), short=True),
    Fault("kill -9 stock", "after its commit", _at_point("stock.committed"), short=True),
    Fault("kill -9 stock", "during its commits", _kill_often("stock", 6)),
    Fault("kill -9 orders", "at any moment", _kill_often("orders", 6)),
    Fault("kill -9 cart", "at any moment", _kill_often("cart", 4)),
    Fault("SIGSTOP orders", "longer than a lease", _freeze_orders),
    Fault("two workers", "with work for both", _two_workers, short=True),
    Fault("reply of stock late", "beyond the time-out", _weather("stock", 8, reply_delay=6.0)),
    Fault("reply of payment late", "beyond the time-out", _weather("payment", 8, reply_delay=6.0)),
    Fault("reply of stock lost", "the request arrived", _weather("stock", 5, drop_replies=10)),
    Fault("reply of cart lost", "the request arrived", _weather("cart", 5, drop_replies=10)),
    Fault("provider's reply lost", "asked again and again", _same_callback_twice, short=True),
    Fault("orders cut off from stock", "for 60 s", _weather("stock", 60, cut=True)),
    Fault("orders cut off from stock", "for 8 s", _weather("stock", 8, cut=True), short=True),
    Fault("orders cut off from payment", "for 20 s", _weather("payment", 20, cut=True)),
    Fault("orders cut off from cart", "for 20 s", _weather("cart", 20, cut=True)),
    Fault("reservation expires", "during payment", _expire_while_paying, short=True),
    Fault("sweeper against commit", "at every commit", _sweep_while_committing),
    *(Fault("cancel, twice", at, _cancel(at, service, **bad)) for at, (service, bad) in CANCELLED_WHEN.items()),
    Fault("kill -9 a PostgreSQL backend", "under load", _kill_backend, short=True),
    Fault("PostgreSQL stopped", "for 10 s", _stop(["postgres"], 10)),
    Fault("PostgreSQL out of connections", "for 8 s", _exhaust_connections),
    Fault("one products instance killed", "under load", _kill_often("products-1", 4)),
    Fault("all products down", "for 8 s", _stop(["products-1", "products-2"], 8)),
    Fault("clock of orders", "an hour ahead", _clock("orders", "+1h")),
    Fault("clock of stock", "an hour behind", _clock("stock", "-1h")),
    Fault("every service reloaded", "every 5 s", _reload_often),
    Fault("200 ms and 2 % resets", "between services", _everywhere(15, delay=0.2, resets=0.02)),
]
