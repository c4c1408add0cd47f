"""Instances that end, crash, freeze, crawl and restart, services that take new code: and nobody notices.

`make test-long` has the same for a minute, with a limit for how long a read may take, and a reload of everything.
"""

import itertools
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import psutil
import pytest
from local.shop import Shop

from support.goods import prices
from support.load import Caller, load
from support.people import ADDRESS, Person, Staff

PAIR = ("products-1", "products-2")
READERS = 16
# The gateway waits 1.4 s for a frozen or slow instance before it asks the other one.
SETTLE = 2.6


def reading(caller: Caller, number: int) -> None:
    """A page and a search, past the gateway's cache: it keeps nothing for who has a cookie."""
    caller.call({200}, "GET", "/products?limit=20", Cookie="fresh=1")
    caller.call({200}, "GET", "/products?q=bananas&limit=5", Cookie="fresh=1")


def members(shop: Shop, name: str) -> list[psutil.Process]:
    """The processes of an instance: its master and its workers."""
    master = psutil.Process(shop.pid(name))
    return [master, *master.children()]


def terminate(shop: Shop, name: str) -> None:
    """TERM; supervisor starts it again."""
    shop.signal(name, signal.SIGTERM)


def kill(shop: Shop, name: str) -> None:
    """As when memory has run out: at once, master and workers."""
    for process in members(shop, name):
        process.kill()


def freeze(shop: Shop, name: str) -> None:
    """It accepts connections and says nothing."""
    processes = members(shop, name)
    try:
        for process in processes:
            process.suspend()
        time.sleep(1.5)
    finally:
        for process in processes:
            process.resume()


def slow(shop: Shop, name: str) -> None:
    """It stands still nine tenths of the time, 90 ms at once."""
    workers = members(shop, name)[1:]
    end = time.monotonic() + 3
    while time.monotonic() < end:
        with paused(workers):
            time.sleep(0.09)
        time.sleep(0.01)


@contextmanager
def paused(processes: list[psutil.Process]) -> Iterator[None]:
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


def restart(shop: Shop, name: str) -> None:
    """Stopped and started."""
    shop.restart(name)


ACTS: list[Callable[[Shop, str], None]] = [terminate, kill, freeze, slow, restart]


def hurt(shop: Shop, name: str, act: Callable[[Shop, str], None]) -> None:
    """Does it, and waits until both instances work."""
    before = shop.pid(name)
    act(shop, name)
    if act in (terminate, kill):
        end = time.monotonic() + 20
        while shop.pid(name) in (0, before):
            assert time.monotonic() < end, f"{name} did not come back"
            time.sleep(0.05)
    shop.wait_ready(name)
    # A read that came before that has asked both: it should have its answer before the other one is hurt.
    time.sleep(SETTLE if act in (freeze, slow) else 0.5)


def test_no_read_fails_while_an_instance_is_killed_and_another_freezes(shop: Shop) -> None:
    with load(shop.url, reading, READERS) as readers:
        hurt(shop, "products-1", kill)
        hurt(shop, "products-2", freeze)
    assert not readers.failed, "; ".join(readers.failed)
    assert len(readers.seconds) > 200


@pytest.mark.long
def test_no_read_fails_for_a_minute_whatever_happens_to_one_instance(shop: Shop) -> None:
    end = time.monotonic() + 60
    with load(shop.url, reading, READERS) as readers:
        for act, name in itertools.cycle(itertools.product(ACTS, PAIR)):
            if time.monotonic() > end:
                break
            hurt(shop, name, act)
    print(f"\n{len(readers.seconds)} reads, p99 {readers.percentile(0.99):.2f} s, longest {readers.seconds[-1]:.2f} s")
    assert not readers.failed, "; ".join(readers.failed)
    assert len(readers.seconds) > 3000
    assert readers.percentile(0.99) < 1.5


def test_without_products_warmed_pages_are_read_and_checkouts_are_told_to_wait(
    shop: Shop, guest: Person, staff: Staff
) -> None:
    sku = staff.goods(price=250, quantity=5)
    cart, key = guest.cart_with({sku: 2}), str(uuid4())
    warm = guest.get("/products?limit=7")
    shop.supervisor.stop(PAIR)
    try:
        time.sleep(2.5)  # beyond the seconds in which an old page may be given anyway
        stale = guest.get("/products?limit=7")
        assert (stale.headers["X-Cache"], stale.ok()) == ("STALE", warm.ok())
        refused = guest.post("/orders", guest.order(cart), headers={"Idempotency-Key": key})
        refused.refused(503, refused.code)
        assert int(refused.headers["Retry-After"]) >= 1
        assert guest.available(sku) == 5
    finally:
        shop.supervisor.run(PAIR)
        for name in PAIR:
            shop.wait_ready(name)
    order = guest.checkout(cart, key).ok(201)
    assert [line["quantity"] for line in order["lines"]] == [2]
    assert guest.available(sku) == 3


def shopping(sku: str) -> Callable[[Caller, int], None]:
    """A visit with requests of every kind and to every service: reads, new things, changes, deletions, a checkout."""

    def visit(caller: Caller, number: int) -> None:
        caller.call({200}, "GET", "/products?limit=5", Cookie="fresh=1")
        caller.call({200}, "GET", f"/stock/{sku}")
        if number == 0:
            account = {
                "email": f"{uuid4().hex[:12]}@example.com",
                "password": "correct horse battery staple",
                "name": "A",
            }
            caller.call({201}, "POST", "/customers", account)
        cart = caller.call({201}, "POST", "/carts")["id"]
        caller.call({200}, "PUT", f"/carts/{cart}/lines/{sku}", {"quantity": 2})
        caller.call({200}, "PUT", f"/carts/{cart}/lines/{sku}", {"quantity": 1})
        caller.call({200}, "GET", f"/carts/{cart}")
        payment = {"method": "test", "token": "tok_ok"}
        order = {"cart": cart, "email": "guest@example.com", "shipping_address": ADDRESS, "payment": payment}
        # 202: the order stands, its payment is under way; the provider restarts too.
        made = caller.call({201, 202}, "POST", "/orders", order, Idempotency_Key=str(uuid4()))
        caller.call({200}, "GET", f"/orders/{made['id']}?access_token={made['access_token']}")

    return visit


@pytest.mark.long
def test_no_request_of_any_kind_fails_while_everything_takes_new_code(shop: Shop, staff: Staff) -> None:
    sku = next(iter(prices()))
    staff.receive(sku, 10_000)
    with load(shop.url, shopping(sku), 4) as people:
        for _ in range(3):
            shop.reload()
    print(f"\n{len(people.seconds)} requests, p99 {people.percentile(0.99):.2f} s")
    assert not people.failed, "; ".join(people.failed)
    assert len(people.seconds) > 300
