"""What can be done to a shop: each returns when it is over, or raises ``NotInjected``."""

import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg2
import urllib3
from local.venv import PYTHON, ROOT

from loadtest.faults.proxy import Weather
from loadtest.faults.stage import Stage

HIT_SECONDS = 20.0


class NotInjected(Exception):
    """The fault did not come about: the run proves nothing about it, so it fails."""


def _until(condition: Callable[[], bool], what: str, seconds: float = HIT_SECONDS) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends:
            raise NotInjected(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.02)


def at_point(point: str, act: str = "kill", slow: str = "") -> Callable[[Stage, random.Random], None]:
    """Arms a point and waits until somebody came by; ``slow`` holds back a service's replies meanwhile."""

    def play(stage: Stage, chance: random.Random) -> None:
        if slow:
            stage.proxies[slow].weather.reply_delay = 1.0
        stage.arm(point, act)
        _until(lambda: stage.was_hit(point), f"{point} to be hit")
        time.sleep(1.0)

    return play


def weather(service: str, seconds: float, **changes: float) -> Callable[[Stage, random.Random], None]:
    def play(stage: Stage, chance: random.Random) -> None:
        for name, value in changes.items():
            setattr(stage.proxies[service].weather, name, value)
        time.sleep(seconds)

    return play


def everywhere(seconds: float, **changes: float) -> Callable[[Stage, random.Random], None]:
    def play(stage: Stage, chance: random.Random) -> None:
        for proxy in stage.proxies.values():
            for name, value in changes.items():
                setattr(proxy.weather, name, value)
        time.sleep(seconds)

    return play


def kill_often(name: str, times: int) -> Callable[[Stage, random.Random], None]:
    """Kills what answers requests, at random moments."""

    def play(stage: Stage, chance: random.Random) -> None:
        for _ in range(times):
            for pid in stage.worker_pids(name):
                stage.kill(pid)
            time.sleep(chance.uniform(0.5, 1.5))

    return play


def stop(names: list[str], seconds: float) -> Callable[[Stage, random.Random], None]:
    def play(stage: Stage, chance: random.Random) -> None:
        for name in names:
            stage.shop.stop(name)
        time.sleep(seconds)
        for name in names:
            stage.shop.start(name)

    return play


def freeze_orders(stage: Stage, chance: random.Random) -> None:
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


def two_workers(stage: Stage, chance: random.Random) -> None:
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


def kill_backend(stage: Stage, chance: random.Random) -> None:
    """kill -9 of one backend: the whole server goes through crash recovery."""
    with stage.database("postgres") as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = 'orders' AND backend_type = 'client backend'")
        pids = [row[0] for row in cursor.fetchall()]
    if not pids:
        raise NotInjected("no backend of orders was found")
    stage.kill(chance.choice(pids))
    time.sleep(3)


def exhaust_connections(stage: Stage, chance: random.Random) -> None:
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


def expire_while_paying(stage: Stage, chance: random.Random) -> None:
    """The payment takes long, and all that is reserved runs out meanwhile; the worker of stock frees it."""
    stage.proxies["payment"].weather.reply_delay = 2.0
    _run_out(stage, seconds=8, every=0.2)


def sweep_while_committing(stage: Stage, chance: random.Random) -> None:
    """Reservations run out just when they are committed."""
    _run_out(stage, seconds=6, every=0.02)


def _run_out(stage: Stage, *, seconds: float, every: float) -> None:
    """The time of whatever is held is over, again and again."""
    ends, expired = time.monotonic() + seconds, 0
    while time.monotonic() < ends:
        with stage.database("stock") as cursor:
            cursor.execute("UPDATE stock_reservation SET expires = now() - interval '1 s' WHERE state = 'held'")
            expired += cursor.rowcount
        time.sleep(every)
    if not expired:
        raise NotInjected("nothing was held")


def cancel(state: str, service: str, **changes: float) -> Callable[[Stage, random.Random], None]:
    """Cancels orders twice while they are in a state, or have just left it.

    The weather that lets some be found in it comes in spells of 3 s: it may let none be placed.
    """

    def play(stage: Stage, chance: random.Random) -> None:
        token, begin, cancelled = _staff(stage), time.monotonic(), 0
        while cancelled < 5 and (since := time.monotonic() - begin) < 20:
            for name, value in changes.items():
                setattr(stage.proxies[service].weather, name, value if since % 4 < 3 else getattr(Weather, name))
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


def clock(name: str, shift: str) -> Callable[[Stage, random.Random], None]:
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


def reload_often(stage: Stage, chance: random.Random) -> None:
    """Every service takes new code every five seconds."""
    for _ in range(4):
        for name in ("products-1", "products-2", "stock", "customers", "cart", "orders"):
            stage.shop.signal(name, signal.SIGHUP)
        time.sleep(5)


def same_callback_twice(stage: Stage, chance: random.Random) -> None:
    """The provider is asked and told the same again and again: its replies to charges are lost, each is asked for."""
    stage.proxies["payment"].weather.drop_replies = 20
    time.sleep(6)
