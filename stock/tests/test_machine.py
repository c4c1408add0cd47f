"""Stock against a model that is too simple to be wrong: any calls in any order, and any two at the same time.

Two calls at once must leave what one of their two orders would have left (linearizability).
"""

import copy
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from chassis.errors import DomainError
from django.db import connection
from django.db.models.functions import Now
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from stock.domain import levels, reservations
from stock.models import Level, Reservation

pytestmark = pytest.mark.django_db(transaction=True)

SKUS = ["A", "B", "C"]
IDS = [UUID(int=n) for n in range(1, 5)]
LINES = st.dictionaries(st.sampled_from(SKUS), st.integers(1, 4), min_size=1)
CALLS = st.one_of(
    st.tuples(st.just("reserve"), st.sampled_from(IDS), LINES),
    st.tuples(st.sampled_from(["commit", "release", "return", "expire"]), st.sampled_from(IDS)),
    st.tuples(st.just("commit_all"), st.lists(st.sampled_from(IDS), min_size=1, unique=True)),
    st.tuples(st.just("receive"), st.sampled_from(SKUS), st.integers(1, 5)),
    st.tuples(st.just("adjust"), st.sampled_from(SKUS), st.integers(-5, 5).filter(bool)),
)


class Model:
    """Shelves and reservations as dictionaries."""

    def __init__(self):
        self.on_hand, self.reserved, self.known, self.ledger = {}, {}, {}, {}

    def state(self):
        shelves = {sku: (self.on_hand[sku], self.reserved[sku]) for sku in self.on_hand}
        return shelves, {id: state for id, (state, _) in self.known.items()}

    def call(self, name, *args):
        return getattr(self, f"_{name}")(*args)

    def _free(self, sku):
        return self.on_hand.get(sku, 0) - self.reserved.get(sku, 0)

    def _hold(self, lines, sign=1):
        for sku, quantity in lines.items():
            self.reserved[sku] += sign * quantity

    def _short(self, lines):
        return any(self._free(sku) < quantity for sku, quantity in lines.items())

    def _receive(self, sku, quantity):
        self.on_hand[sku] = self.on_hand.get(sku, 0) + quantity
        self.reserved.setdefault(sku, 0)
        return "ok"

    def _adjust(self, sku, quantity):
        if quantity < 0 and sku not in self.on_hand:
            return "sku_not_found"
        if quantity < 0 and self._free(sku) + quantity < 0:
            return "below_reserved"
        return self._receive(sku, quantity)

    def _reserve(self, id, lines):
        state, known = self.known.get(id, (None, lines))
        if state in ("released", "returned"):
            return "reservation_released"
        if known != lines:
            return "reservation_conflict"
        if state in ("held", "committed"):
            return state
        if self._short(lines):
            return "insufficient_stock"
        self._hold(lines)
        self.known[id] = ("held", lines)
        return "held"

    def _commit(self, id):
        state, lines = self.known.get(id, (None, {}))
        if state is None:
            return "reservation_not_found"
        if state in ("released", "returned"):
            return "reservation_released"
        if state == "expired":
            if self._short(lines):
                return "insufficient_stock"
            self._hold(lines)
        if state != "committed":
            self._hold(lines, -1)
            for sku, quantity in lines.items():
                self.on_hand[sku] -= quantity
            self.known[id] = ("committed", lines)
        return "committed"

    def _commit_all(self, ids):
        held = [id for id in sorted(ids) if self.known.get(id, ("",))[0] == "held"]
        for id in held:
            self._commit(id)
        return held

    def _release(self, id):
        state, lines = self.known.get(id, (None, {}))
        if state == "committed":
            return "reservation_committed"
        if state == "returned":
            return "returned"
        if state == "held":
            self._hold(lines, -1)
        self.known[id] = ("released", lines)
        return "released"

    def _return(self, id):
        state, lines = self.known.get(id, (None, {}))
        if state is None:
            return "reservation_not_found"
        if state not in ("committed", "returned"):
            return "reservation_not_committed"
        if state == "committed":
            for sku, quantity in lines.items():
                self.on_hand[sku] += quantity
            self.known[id] = ("returned", lines)
        return "returned"

    def _expire(self, id):
        state, lines = self.known.get(id, (None, {}))
        if state == "held":
            self._hold(lines, -1)
            self.known[id] = ("expired", lines)
        return "ok"


class Real:
    """The same calls, of the service."""

    def state(self):
        shelves = {
            sku: (on_hand, held) for sku, on_hand, held in Level.objects.values_list("sku", "on_hand", "reserved")
        }
        return shelves, dict(Reservation.objects.values_list("id", "state"))

    def call(self, name, *args):
        try:
            return getattr(self, f"_{name}")(*args)
        except DomainError as refusal:
            return refusal.code

    def _receive(self, sku, quantity):
        levels.receive(sku=sku, quantity=quantity, reason="", actor="t")
        return "ok"

    def _adjust(self, sku, quantity):
        levels.adjust(sku=sku, quantity=quantity, reason="", actor="t")
        return "ok"

    def _reserve(self, id, lines):
        return str(reservations.reserve(id=id, lines=lines, ttl=900).state)

    def _commit(self, id):
        return str(reservations.commit(id=id).state)

    def _commit_all(self, ids):
        return sorted(reservations.commit_all(ids=ids))

    def _release(self, id):
        return str(reservations.release(id=id).state)

    def _return(self, id):
        return str(reservations.give_back(id=id).state)

    def _expire(self, id):
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE stock_reservation SET expires = now() - interval '1 s' WHERE id = %s AND state = 'held'", [id]
            )
        overdue = Reservation.objects.filter(pk=id, state="held", expires__lt=Now())
        reservations.expire()
        while overdue.exists():  # another call had the row: the sweeper passes by again
            reservations.expire()
        return "ok"


class Machine(RuleBasedStateMachine):
    sides = ()  # two threads, each with a connection of its own

    def __init__(self):
        super().__init__()
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE stock_level, stock_reservation, stock_reservationline, stock_movement")
        self.model, self.real = Model(), Real()
        for sku in SKUS[:2]:
            self.one(("receive", sku, 6))

    @rule(call=CALLS)
    def one(self, call):
        assert self.real.call(*call) == self.model.call(*call), call

    @rule(first=CALLS, second=CALLS)
    def two_at_once(self, first, second):
        calls = [side.submit(self.real.call, *call) for side, call in zip(self.sides, (first, second), strict=True)]
        came = tuple(call.result() for call in calls)
        found = self.real.state()
        possible = []
        for order in ((0, 1), (1, 0)):
            model, outcomes = copy.deepcopy(self.model), {}
            for index in order:
                outcomes[index] = model.call(*(first, second)[index])
            possible.append(((outcomes[0], outcomes[1]), model.state(), model))
        fits = [model for outcomes, state, model in possible if (outcomes, state) == (came, found)]
        assert fits, f"{first} and {second} at once: {came}, {found}; possible: {[e[:2] for e in possible]}"
        self.model = fits[0]

    @invariant()
    def the_same(self):
        assert self.real.state() == self.model.state()

    @invariant()
    def the_ledger_adds_up(self):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT sku FROM stock_level l WHERE on_hand <> "
                "(SELECT coalesce(sum(quantity), 0) FROM stock_movement m WHERE m.sku = l.sku)"
            )
            assert cursor.fetchall() == []


@pytest.fixture
def sides(transactional_db, monkeypatch):
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        monkeypatch.setattr(Machine, "sides", (one, other))
        yield
        for side in (one, other):
            side.submit(lambda: connection.close()).result()  # each its own: the name means another one in each thread


def test_any_calls_in_any_order_two_at_a_time(sides):
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=200, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
