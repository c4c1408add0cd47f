"""Real threads on a real PostgreSQL: nothing is sold twice, and nobody waits for ever."""

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from uuid import UUID, uuid4

import pytest
from chassis.errors import DomainError
from django.db import connection, transaction

from stock.domain import levels, reservations
from stock.models import Level, Movement, Reservation
from tests.conftest import state_of

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


def test_fifty_units_and_two_hundred_buyers_are_fifty_sales():
    levels.receive(sku="A", quantity=50, reason="", actor="t")

    def buy():
        id = uuid4()
        reservations.reserve(id=id, lines={"A": 1}, ttl=60)
        return reservations.commit(id=id).state

    outcomes = at_once([buy] * 200, workers=16)
    assert outcomes.count("committed") == 50
    assert sum(isinstance(outcome, reservations.InsufficientStock) for outcome in outcomes) == 150
    assert state_of("A") == (0, 0)
    assert Movement.objects.filter(kind="sale").count() == 50


def test_one_id_from_eight_sides_takes_the_goods_once():
    levels.receive(sku="A", quantity=8, reason="", actor="t")
    id = uuid4()
    made = at_once([lambda: reservations.reserve(id=id, lines={"A": 1}, ttl=60).created] * 8)
    assert sorted(made) == [False] * 7 + [True]
    assert state_of("A") == (8, 1)
    at_once([lambda: reservations.commit(id=id)] * 8)
    assert state_of("A") == (7, 0)
    at_once([lambda: reservations.give_back(id=id)] * 8)
    assert state_of("A") == (8, 0)
    assert list(Movement.objects.order_by("id").values_list("kind", flat=True)) == ["receipt", "sale", "return"]


def test_a_commit_and_a_release_of_one_reservation_have_one_winner():
    levels.receive(sku="A", quantity=100, reason="", actor="t")
    sold = 0
    for _ in range(30):
        id = uuid4()
        reservations.reserve(id=id, lines={"A": 1}, ttl=60)
        at_once([lambda id=id: reservations.commit(id=id), lambda id=id: reservations.release(id=id)], workers=2)
        sold += reservations.get(id=id).state == "committed"
    assert state_of("A") == (100 - sold, 0)
    assert Movement.objects.filter(kind="sale").count() == sold


def test_rounds_of_sales_in_any_order_and_whoever_else_comes_never_deadlock_and_sell_each_once():
    skus = [f"S{n}" for n in range(4)]
    for sku in skus:
        levels.receive(sku=sku, quantity=1000, reason="", actor="t")
    for seed in range(15):
        chance = random.Random(seed)
        ids = [uuid4() for _ in range(8)]
        for id in ids:
            reservations.reserve(id=id, lines={sku: 1 for sku in chance.sample(skus, 3)}, ttl=60)
        rounds = [chance.sample(ids, 8) for _ in range(3)]
        others = [partial(reservations.release, id=ids[0]), partial(reservations.commit, id=ids[1])]
        came = at_once([*(partial(reservations.commit_all, ids=each) for each in rounds), *others])
        assert not [error for error in came if isinstance(error, Exception) and not isinstance(error, DomainError)]
        sold = [id for each in came[:3] for id in each]
        assert len(sold) == len(set(sold))
        assert set(ids[1:]) <= {*sold, ids[1]}
    assert all(state_of(sku)[1] == 0 for sku in skus)
    sales = Movement.objects.filter(kind="sale")
    assert sales.count() == 3 * Reservation.objects.filter(state="committed").count()


def test_the_sweeper_and_a_commit_have_one_winner():
    levels.receive(sku="A", quantity=30, reason="", actor="t")
    for _ in range(30):
        id = uuid4()
        reservations.reserve(id=id, lines={"A": 1}, ttl=60)
        _let_pass(id)
        at_once([lambda id=id: reservations.commit(id=id), reservations.expire], workers=2)
        assert reservations.get(id=id).state == "committed"
    assert state_of("A") == (0, 0)


def test_a_release_and_a_late_reserve_never_leave_goods_held():
    levels.receive(sku="A", quantity=5, reason="", actor="t")
    for _ in range(30):
        id = uuid4()
        at_once(
            [
                lambda id=id: reservations.reserve(id=id, lines={"A": 1}, ttl=60),
                lambda id=id: reservations.release(id=id),
            ],
            workers=2,
        )
        assert reservations.get(id=id).state == "released"
        assert state_of("A") == (5, 0)


def test_many_lines_in_any_order_never_deadlock():
    skus = [f"S{n}" for n in range(6)]
    for sku in skus:
        levels.receive(sku=sku, quantity=1000, reason="", actor="t")

    def shop(seed):
        chance = random.Random(seed)
        id = uuid4()
        wanted = chance.sample(skus, 4)
        with suppress(reservations.InsufficientStock):
            reservations.reserve(id=id, lines={sku: 1 for sku in wanted}, ttl=60)
            chance.choice([reservations.commit, reservations.release])(id=id)
        return "done"

    assert at_once([lambda seed=seed: shop(seed) for seed in range(200)]) == ["done"] * 200
    assert all(state_of(sku)[1] == 0 for sku in skus)
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        assert cursor.fetchone()[0] == 0


def test_one_import_from_four_sides_is_received_once():
    lines = {f"S{n:03}": 7 for n in range(100)}
    counts = at_once([lambda: levels.receive_all(lines=lines, reference="file", actor="t")] * 4, workers=4)
    assert sum(counts) == 100
    assert {state_of(sku) for sku in lines} == {(7, 0)}


def _let_pass(id: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE stock_reservation SET expires = now() - interval '1 second' WHERE id = %s", [id])


def _meanwhile(call):
    def run():
        try:
            return call()
        except DomainError as refusal:
            return refusal
        finally:
            connection.close()

    return run


@pytest.mark.parametrize("late", ["reserve", "commit of an expired one"])
def test_what_waits_for_a_receipt_finds_the_goods_that_it_brought(late):
    """A constraint is checked on the row as a statement first saw it: what is new must not be refused for it."""
    levels.receive(sku="A", quantity=2, reason="", actor="t")
    id = uuid4()
    call = partial(reservations.reserve, id=id, lines={"A": 2}, ttl=60)
    if late != "reserve":
        call()
        _let_pass(id)
        reservations.expire()
        call = partial(reservations.commit, id=id)

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            reservations.reserve(id=uuid4(), lines={"A": 2}, ttl=60)
            levels.receive(sku="A", quantity=3, reason="", actor="t")
            waiting = pool.submit(_meanwhile(call))
            _until_somebody_waits()
        assert waiting.result().state == ("held" if late == "reserve" else "committed")
    assert state_of("A") == ((5, 4) if late == "reserve" else (3, 2))


def test_a_reserve_that_waits_in_vain_leaves_nothing():
    for sku in "AB":
        levels.receive(sku=sku, quantity=2, reason="", actor="t")
    id = uuid4()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            reservations.reserve(id=uuid4(), lines={"B": 1}, ttl=60)
            waiting = pool.submit(_meanwhile(partial(reservations.reserve, id=id, lines={"A": 2, "B": 2}, ttl=60)))
            _until_somebody_waits()
        refusal = waiting.result()
    assert isinstance(refusal, reservations.InsufficientStock)
    assert refusal.extra["lines"] == [{"sku": "B", "quantity": 2, "available": 1}]
    assert (state_of("A"), state_of("B")) == ((2, 0), (2, 1))
    with pytest.raises(reservations.UnknownReservation):
        reservations.get(id=id)


def test_a_reserve_waits_for_a_change_of_its_id_before_it_holds_a_level():
    """An INSERT waits for whoever changes the row with its id; did it hold a level then, both would wait for ever."""
    levels.receive(sku="A", quantity=4, reason="", actor="t")
    id = uuid4()
    reserve = partial(reservations.reserve, id=id, lines={"A": 1}, ttl=60)
    reserve()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Reservation.objects.filter(pk=id).update(state="released")
            waiting = pool.submit(_meanwhile(reserve))
            _until_somebody_waits()
            Level.objects.select_for_update(nowait=True).get(sku="A")
            Level.objects.filter(sku="A").update(reserved=0)
        assert isinstance(waiting.result(), reservations.Released)
    assert state_of("A") == (4, 0)


def _until_somebody_waits() -> None:
    with connection.cursor() as cursor:
        for _ in range(200):
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
            if cursor.fetchone()[0]:
                return
            cursor.execute("SELECT pg_sleep(0.05), pg_stat_clear_snapshot()")
    raise AssertionError("nobody waits")


def test_a_commit_of_an_unknown_id_and_its_release_never_sell_anything():
    for _ in range(50):
        id = uuid4()
        came = at_once([lambda id=id: reservations.commit(id=id), lambda id=id: reservations.release(id=id)], workers=2)
        assert isinstance(came[0], (reservations.UnknownReservation, reservations.Released)), came[0]
        assert came[1].state == "released"
