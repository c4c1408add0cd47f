"""Real threads on a real PostgreSQL: nothing is doubled, nothing is lost, and nobody waits for ever."""

import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from functools import partial
from threading import Event, get_ident
from uuid import uuid4

import pytest
from django.db import connection, transaction

from cart.domain import carts, checkouts, claims, lines, prices
from cart.models import Cart, Consumed
from tests.conftest import inside, version_of

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(calls, workers=8):
    """Runs the calls on threads of their own, each with a database connection, and returns what came of each."""

    def run(call):
        try:
            return call()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(run, calls))


@pytest.fixture(autouse=True)
def _no_deadlock():
    yield
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        assert cursor.fetchone()[0] == 0


def test_lines_set_at_once_are_all_there_and_each_answer_is_whole(shop, filled):
    skus = [f"S{n}" for n in range(24)]
    for sku in skus:
        shop.sell(sku, 10)
    id = filled()
    answers = at_once([lambda sku=sku: lines.put(id=id, customer=None, sku=sku, quantity=2) for sku in skus])
    assert inside(id) == dict.fromkeys(skus, 2)
    assert version_of(id) == 24
    assert all(answer.version == len(answer.lines) for answer in answers), "a version with all of its lines, no more"
    assert max(len(answer.lines) for answer in answers) == 24


def test_who_fills_carts_at_once_asks_together_and_is_told_their_own_prices(shop, filled, monkeypatch):
    everybody, answered, end = [(filled(), f"S{n}", 10 + n) for n in range(8)], shop.answer, time.monotonic() + 10
    for _, sku, price in everybody:
        shop.sell(sku, price, there=price)

    def answer(path, skus):
        while len(skus) == 1 and (prices._MARKET._next is None or len(prices._MARKET._next.keys) < 7):
            assert time.monotonic() < end, "the others do not wait for each other"
            time.sleep(0.001)
        return answered(path, skus)

    shop.answer = answer
    monkeypatch.setattr(prices._MARKET, "_patience", 10)
    shop.calls.clear()
    carts_of = at_once(
        [lambda id=id, sku=sku: lines.put(id=id, customer=None, sku=sku, quantity=1) for id, sku, _ in everybody]
    )
    assert [[(line.sku, line.unit_price, line.available) for line in cart.lines] for cart in carts_of] == [
        [(sku, price, price)] for _, sku, price in everybody
    ]
    assert sorted(len(skus) for _, skus in shop.calls) == [1, 1, 7, 7]


def test_one_line_set_from_eight_sides_counts_once(shop, filled):
    id = filled()
    at_once([lambda: lines.put(id=id, customer=None, sku="A", quantity=3)] * 8)
    assert (inside(id), version_of(id)) == ({"A": 3}, 1)
    at_once([lambda: lines.remove(id=id, customer=None, sku="A")] * 8)
    assert (inside(id), version_of(id)) == ({}, 2)


def test_the_last_free_line_is_taken_once(shop, filled):
    id = filled()
    Cart.objects.filter(pk=id).update(line_count=499)
    for n in range(8):
        shop.sell(f"S{n}", 10)
    outcomes = at_once([lambda n=n: lines.put(id=id, customer=None, sku=f"S{n}", quantity=1) for n in range(8)])
    assert sum(isinstance(outcome, carts.CartFull) for outcome in outcomes) == 7
    assert Cart.objects.get(pk=id).line_count == 500
    assert Cart.objects.get(pk=id).lines.count() == 1


def test_a_guests_cart_claimed_by_two_has_one_winner(filled):
    for _ in range(10):
        id, customers = filled(A=1), [uuid4(), uuid4()]
        formers = [filled(customer, B=1) for customer in customers]
        outcomes = at_once([partial(claims.claim, id=id, customer=who) for who in customers], workers=2)
        assert sorted(isinstance(outcome, carts.CartNotFound) for outcome in outcomes) == [False, True]
        winner = outcomes.index(None)
        assert Cart.objects.get(pk=id).customer == customers[winner]
        assert inside(id) == {"A": 1, "B": 1}
        assert (inside(formers[winner]), inside(formers[1 - winner])) == ({}, {"B": 1})


def test_one_claim_from_eight_sides_adds_up_once(filled):
    me = uuid4()
    filled(me, A=2)
    id = filled(A=1, B=1)
    assert at_once([lambda: claims.claim(id=id, customer=me)] * 8) == [None] * 8
    assert (inside(id), version_of(id)) == ({"A": 3, "B": 1}, 3)


def test_two_carts_claimed_at_once_end_in_one_with_everything(filled):
    for _ in range(10):
        me = uuid4()
        filled(me, A=1)
        ids = [filled(A=1), filled(B=1)]
        assert at_once([partial(claims.claim, id=id, customer=me) for id in ids], workers=2) == [None, None]
        assert inside(carts.current(customer=me).id) == {"A": 2, "B": 1}


def test_the_first_look_from_eight_sides_makes_one_cart(shop):
    me = uuid4()
    found = at_once([lambda: carts.current(customer=me).id] * 8)
    assert len(set(found)) == 1
    assert Cart.objects.filter(customer=me).count() == 1


def test_a_consume_from_eight_sides_takes_once(filled):
    id, order = filled(A=9), uuid4()
    at_once([lambda: checkouts.consume(id=id, order=order, lines={"A": 2})] * 8)
    assert (inside(id), version_of(id)) == ({"A": 7}, 2)
    assert Consumed.objects.count() == 1


def test_orders_that_consume_together_in_any_order_take_once(filled):
    ids = [filled(A=9) for _ in range(6)]
    bought = [checkouts.Bought(order=uuid4(), cart=id, lines={"A": 2}) for id in ids]
    rounds = [partial(checkouts.consume_all, bought=bought[turn:] + bought[:turn]) for turn in range(6)]
    shoppers = [partial(lines.put, id=id, customer=None, sku="B", quantity=4) for id in ids[:2]]
    came = at_once([*rounds, *shoppers])
    assert not [error for error in came if isinstance(error, Exception)]
    assert [inside(id) for id in ids] == [{"A": 7, "B": 4}] * 2 + [{"A": 7}] * 4
    assert Consumed.objects.count() == 6


def test_two_orders_and_a_shopper_at_once_lose_nothing(filled):
    for _ in range(10):
        id = filled(A=5)
        at_once(
            [
                lambda id=id: checkouts.consume(id=id, order=uuid4(), lines={"A": 2}),
                lambda id=id: lines.put(id=id, customer=None, sku="B", quantity=4),
                lambda id=id: checkouts.consume(id=id, order=uuid4(), lines={"A": 2}),
            ],
            workers=3,
        )
        assert (inside(id), version_of(id)) == ({"A": 1, "B": 4}, 4)


def test_who_was_told_that_the_order_is_confirmed_finds_the_cart_without_it(filled, monkeypatch):
    for change, left in ((carts.look, {}), (partial(lines.put, sku="A", quantity=5), {"A": 5})):
        id, order = filled(A=2), uuid4()
        checkouts.begin(id=id, order=order, customer=None, ttl=60)
        take = partial(checkouts.consume, id=id, order=order, lines={"A": 2})
        monkeypatch.setattr(carts, "sleep", lambda _, take=take: take())
        change(id=id, customer=None)
        assert inside(id) == left


def test_who_waits_for_an_order_leaves_threads_for_what_they_wait_for(filled, monkeypatch):
    """Eight look at a cart that an order is being made of: five wait, three find it as it is."""
    id, go_on, waiting = filled(A=2), Event(), []
    checkouts.begin(id=id, order=uuid4(), customer=None, ttl=60)

    def wait(_):
        waiting.append(get_ident())
        assert go_on.wait(10)

    monkeypatch.setattr(carts, "sleep", wait)
    monkeypatch.setattr(carts, "PATIENCE_SECONDS", 0.001)
    with ThreadPoolExecutor(8) as pool:
        looks = [pool.submit(at_once, [partial(carts.look, id=id, customer=None)], workers=1) for _ in range(8)]
        found, _ = wait_for(looks, timeout=10, return_when=FIRST_COMPLETED)
        while len(found) < 3:
            found, _ = wait_for(looks, timeout=0.05)
        assert len(set(waiting)) == carts.MOST_WAITING
        go_on.set()
    assert all(look.result()[0].busy for look in looks)


def test_a_quantity_set_while_consumed_is_before_or_after_it(filled):
    seen = set()
    for _ in range(20):
        id = filled(A=2)
        at_once(
            [
                lambda id=id: checkouts.consume(id=id, order=uuid4(), lines={"A": 2}),
                lambda id=id: lines.put(id=id, customer=None, sku="A", quantity=5),
            ],
            workers=2,
        )
        seen.add(inside(id)["A"])
    assert seen <= {3, 5}, "five and two taken, or two taken and then five; never two lost nor counted twice"


def test_a_consume_that_had_to_wait_takes_from_what_is_there_by_then(filled):
    id = filled(A=2)
    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            lines.put(id=id, customer=None, sku="A", quantity=5)
            waiting = other.submit(
                at_once, [partial(checkouts.consume, id=id, order=uuid4(), lines={"A": 2})], workers=1
            )
            _until_somebody_waits()
        assert waiting.result() == [None]
    assert (inside(id), version_of(id)) == ({"A": 3}, 3)


def test_a_line_waits_for_its_cart_before_it_is_touched(filled):
    id = filled(A=2, B=1)
    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            Cart.objects.select_for_update().get(pk=id)
            waiting = other.submit(at_once, [partial(lines.put, id=id, customer=None, sku="A", quantity=5)], workers=1)
            _until_somebody_waits()
            checkouts.consume(id=id, order=uuid4(), lines={"A": 2})
        (put,) = waiting.result()
    assert (put.version, {line.sku: line.quantity for line in put.lines}) == (4, {"A": 5, "B": 1})
    assert (inside(id), version_of(id)) == ({"A": 5, "B": 1}, 4)


def _until_somebody_waits():
    ends = time.monotonic() + 10
    with connection.cursor() as cursor:
        while time.monotonic() < ends:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
            time.sleep(0.01)
    raise AssertionError("nobody waits")


def test_one_checkout_of_two_orders_at_once(filled):
    for _ in range(10):
        id, orders = filled(A=1), [uuid4(), uuid4()]
        begin = [partial(checkouts.begin, id=id, order=order, customer=None, ttl=60) for order in orders]
        outcomes = at_once(begin, workers=2)
        assert sorted(isinstance(outcome, checkouts.CheckoutInProgress) for outcome in outcomes) == [False, True]


def test_a_claim_and_a_checkout_at_once_have_one_winner(filled):
    for _ in range(10):
        id, me = filled(A=1), uuid4()
        claimed, begun = at_once(
            [
                lambda id=id, me=me: claims.claim(id=id, customer=me),
                lambda id=id: checkouts.begin(id=id, order=uuid4(), customer=None, ttl=60),
            ],
            workers=2,
        )
        assert isinstance(claimed, checkouts.CheckoutInProgress) != isinstance(begun, carts.CartNotFound)


def test_a_cart_deleted_while_filled_is_gone_for_good(filled):
    for _ in range(10):
        id = filled(A=1)
        put, _ = at_once(
            [
                lambda id=id: lines.put(id=id, customer=None, sku="B", quantity=1),
                lambda id=id: carts.delete(id=id, customer=None),
            ],
            workers=2,
        )
        assert isinstance(put, carts.CartNotFound) or put.id == id
        assert not Cart.objects.filter(pk=id).exists()
