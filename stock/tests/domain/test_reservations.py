from uuid import uuid4

import pytest
from django.db import connection

from stock.domain import levels, reservations
from stock.models import Movement, Reservation
from tests.conftest import state_of

pytestmark = pytest.mark.django_db


def let_pass(held: reservations.Held) -> None:
    """Its time is over: the clock that decides is the database's, so the row is set back, not a clock forward."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE stock_reservation SET expires = now() - interval '1 second' WHERE id = %s", [held.id])


def ledger() -> list[tuple[str, str, int]]:
    return list(Movement.objects.order_by("id").values_list("kind", "level_id", "quantity"))


def test_reserving_sets_aside(shelf, hold):
    shelf(A=5, B=5)
    held = hold(A=2, B=5)
    assert (held.state, held.expires_in, held.created, held.lines) == ("held", 900, True, {"A": 2, "B": 5})
    assert [state_of(sku) for sku in "AB"] == [(5, 2), (5, 5)]


def test_it_is_all_or_nothing_and_names_what_is_short(shelf, hold):
    shelf(A=5, B=1)
    with pytest.raises(reservations.InsufficientStock) as refusal:
        hold(A=2, B=2, C=1)
    assert refusal.value.extra["lines"] == [
        {"sku": "B", "quantity": 2, "available": 1},
        {"sku": "C", "quantity": 1, "available": 0},
    ]
    assert [state_of(sku) for sku in "AB"] == [(5, 0), (1, 0)]
    assert not Reservation.objects.exists()


def test_the_same_lines_again_renew_and_take_nothing_more(shelf, hold):
    shelf(A=2)
    held = hold(A=2, ttl=10)
    again = reservations.reserve(id=held.id, lines={"A": 2}, ttl=900)
    assert (again.created, again.state, again.expires_in) == (False, "held", 900)
    assert reservations.reserve(id=held.id, lines={"A": 2}, ttl=10).expires_in == 900
    assert state_of("A") == (2, 2)


def test_other_lines_under_the_same_id_are_refused(shelf, hold):
    shelf(A=5)
    held = hold(A=2)
    with pytest.raises(reservations.OtherLines):
        reservations.reserve(id=held.id, lines={"A": 3}, ttl=900)
    assert state_of("A") == (5, 2)


def test_committing_sells_once(shelf, hold):
    shelf(A=5)
    held = hold(A=2)
    assert reservations.commit(id=held.id).state == "committed"
    assert reservations.commit(id=held.id).state == "committed"
    assert state_of("A") == (3, 0)
    assert ledger() == [("receipt", "A", 5), ("sale", "A", -2)]
    assert reservations.reserve(id=held.id, lines={"A": 2}, ttl=9).state == "committed"
    assert state_of("A") == (3, 0)


def test_many_are_sold_at_once_and_only_what_is_held(shelf, hold):
    shelf(A=9, B=9)
    one, two, sold, gone, over = hold(A=2, B=1), hold(A=3), hold(A=1), hold(B=1), hold(B=2)
    reservations.commit(id=sold.id)
    reservations.release(id=gone.id)
    let_pass(over)
    reservations.expire()
    ids = [two.id, sold.id, uuid4(), gone.id, over.id, one.id]
    assert set(reservations.commit_all(ids=ids)) == {one.id, two.id}
    assert reservations.commit_all(ids=ids) == []
    assert [state_of(sku) for sku in "AB"] == [(3, 0), (8, 0)]
    assert sorted(ledger()[3:]) == [("sale", "A", -3), ("sale", "A", -2), ("sale", "B", -1)]
    assert {reservations.get(id=held.id).state for held in (one, two, sold)} == {"committed"}
    assert [reservations.get(id=held.id).state for held in (gone, over)] == ["released", "expired"]


def test_releasing_gives_back_once_and_spends_the_id(shelf, hold):
    shelf(A=5)
    held = hold(A=2)
    assert reservations.release(id=held.id).state == "released"
    assert reservations.release(id=held.id).state == "released"
    assert state_of("A") == (5, 0)
    for late in (
        lambda: reservations.reserve(id=held.id, lines={"A": 2}, ttl=9),
        lambda: reservations.commit(id=held.id),
    ):
        with pytest.raises(reservations.Released):
            late()
    assert state_of("A") == (5, 0)


def test_releasing_an_unknown_id_leaves_a_tombstone(shelf):
    shelf(A=5)
    id = uuid4()
    assert reservations.release(id=id).state == "released"
    with pytest.raises(reservations.Released):
        reservations.reserve(id=id, lines={"A": 1}, ttl=9)
    assert state_of("A") == (5, 0)


def test_what_is_sold_is_not_released(shelf, hold):
    shelf(A=5)
    held = hold(A=2)
    reservations.commit(id=held.id)
    with pytest.raises(reservations.Committed):
        reservations.release(id=held.id)
    assert state_of("A") == (3, 0)


def test_returning_puts_back_once_with_an_entry(shelf, hold):
    shelf(A=5)
    held = hold(A=2)
    reservations.commit(id=held.id)
    assert reservations.give_back(id=held.id).state == "returned"
    assert reservations.give_back(id=held.id).state == "returned"
    assert state_of("A") == (5, 0)
    assert ledger()[1:] == [("sale", "A", -2), ("return", "A", 2)]
    with pytest.raises(reservations.Released):
        reservations.commit(id=held.id)


def test_only_what_was_committed_returns(shelf, hold):
    shelf(A=5)
    with pytest.raises(reservations.NotCommitted):
        reservations.give_back(id=hold(A=2).id)
    with pytest.raises(reservations.UnknownReservation):
        reservations.give_back(id=uuid4())
    assert state_of("A") == (5, 2)


def test_what_is_over_is_freed_and_only_that(shelf, hold):
    shelf(A=5, B=5)
    over, fresh, done = hold(A=2, B=1), hold(A=1), hold(B=1)
    reservations.commit(id=done.id)
    let_pass(over)
    let_pass(done)
    assert reservations.expire() == 1
    assert reservations.expire() == 0
    assert [state_of(sku) for sku in "AB"] == [(5, 1), (4, 0)]
    assert [reservations.get(id=held.id).state for held in (over, fresh, done)] == ["expired", "held", "committed"]


def test_committing_after_expiry_takes_the_goods_anew(shelf, hold):
    shelf(A=2)
    held = hold(A=2)
    let_pass(held)
    reservations.expire()
    assert reservations.commit(id=held.id).state == "committed"
    assert state_of("A") == (0, 0)


def test_committing_after_expiry_is_refused_when_the_goods_are_gone(shelf, hold):
    shelf(A=2)
    held = hold(A=2)
    let_pass(held)
    reservations.expire()
    hold(A=1)
    with pytest.raises(reservations.InsufficientStock):
        reservations.commit(id=held.id)
    assert state_of("A") == (2, 1)
    assert reservations.get(id=held.id).state == "expired"


def test_an_expired_one_is_reserved_anew_by_the_same_lines(shelf, hold):
    shelf(A=2)
    held = hold(A=2)
    let_pass(held)
    reservations.expire()
    assert reservations.reserve(id=held.id, lines={"A": 2}, ttl=60).state == "held"
    assert state_of("A") == (2, 2)


def test_committing_what_is_over_but_not_swept_yet_needs_no_second_look(shelf, hold):
    shelf(A=2)
    held = hold(A=2)
    let_pass(held)
    assert reservations.commit(id=held.id).state == "committed"
    assert reservations.expire() == 0
    assert state_of("A") == (0, 0)


@pytest.mark.parametrize("lines", [1, 3])
def test_any_number_of_lines_is_one_statement(lines, shelf, hold, django_assert_num_queries):
    wanted = {f"S{n}": 1 for n in range(lines)}
    shelf(**wanted)
    with django_assert_num_queries(1):
        held = hold(**wanted)
    with django_assert_num_queries(1):
        reservations.commit(id=held.id)


def test_what_was_received_is_what_is_there(shelf, hold):
    shelf(A=5)
    for end in (reservations.commit, reservations.release):
        end(id=hold(A=1).id)
    levels.adjust(sku="A", quantity=-1, reason="broken", actor="t")
    assert state_of("A") == (3, 0)
    assert sum(quantity for _, _, quantity in ledger()) == 3
