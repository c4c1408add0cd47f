"""Orders under any weather: services that are down or lose their answers, in any order, with crashes, repeats and
cancellations in between. When the weather is fair again, every order comes to rest and nothing is owed.
"""

import contextlib
from uuid import uuid4

import pytest
from chassis.testing.client import ApiClient
from django.db import connection
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, rule, run_state_machine_as_test

from orders import clients, provider
from orders.domain import checkout, completion, saga
from orders.models import UNDER_WAY, Order
from tests.conftest import ADDRESS

pytestmark = pytest.mark.django_db(transaction=True)

WORDS = ["/checkouts/", "/variants", "/reservations/", "commit", "release", "return", "consume"]
TOKENS = ["tok_ok", "tok_ok", "tok_declined", "tok_error", "tok_timeout"]
GOOD, ENDED = {"completed", "shipped", "delivered"}, {"rejected", "cancelled", "refunded"}


class Crash(BaseException):
    """The process is gone: nothing that comes after is done, no lease is let go."""


def _close_breakers():
    """New clients, with breakers and retry budgets that know of no failure."""
    clients._client.cache_clear()
    provider._client.cache_clear()


class Machine(RuleBasedStateMachine):
    placed = Bundle("placed")
    shop = charges = None
    client = ApiClient()

    def __init__(self):
        super().__init__()
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE orders_order, idempotency_idempotencyrecord CASCADE")
        shop = self.shop
        shop.__init__()
        shop.fill(quantity=6, A=250, B=100)
        self.told = {}
        _close_breakers()

    @rule(target=placed, a=st.integers(0, 3), b=st.integers(0, 3), token=st.sampled_from(TOKENS))
    def place(self, a, b, token):
        cart = self.shop.cart(**{sku: quantity for sku, quantity in (("A", a), ("B", b)) if quantity})
        asked = (cart, uuid4().hex, token)
        self.ask(asked)
        return asked

    @rule(asked=placed)
    def ask(self, asked):
        cart, key, token = asked
        body = {
            "cart": cart,
            "email": "ada@example.com",
            "shipping_address": ADDRESS,
            "payment": {"method": "test", "token": token},
        }
        answer = self.client.post("/api/v1/orders", body, {"Idempotency-Key": key})
        code = "" if answer.status_code < 300 else answer.json()["code"]
        assert answer.status_code in (201, 202, 402, 409, 503), answer.content
        if answer.status_code in (201, 402) or (answer.status_code == 409 and not code.endswith("in_progress")):
            assert self.told.setdefault(key, answer.content) == answer.content

    @rule(asked=placed, sku=st.sampled_from("AB"), quantity=st.integers(0, 3))
    def change_cart(self, asked, sku, quantity):
        cart = self.shop.carts[asked[0]]
        cart["lines"].pop(sku, None)
        cart["lines"] |= {sku: quantity} if quantity else {}
        cart["version"] += 1

    @rule(asked=placed)
    def another_key(self, asked):
        self.ask((asked[0], uuid4().hex, asked[2]))

    @rule(down=st.sets(st.sampled_from(WORDS), max_size=3))
    def weather(self, down):
        self.shop.down = down

    @rule(word=st.sampled_from(WORDS), times=st.integers(1, 4))
    def lose_answers(self, word, times):
        self.shop.lose[word] = times

    @rule(data=st.data())
    def crash_in_a_step(self, data):
        """The next order that comes to this state dies there, before or after the step's work was done."""
        state = data.draw(st.sampled_from(list(saga._STEPS)))
        step, after = saga._STEPS[state], data.draw(st.booleans())
        straight, saga._straight = saga._straight, lambda run: False  # states that are passed through have no step

        def dying(run):
            if after:
                step(run)
            saga._STEPS[state] = step
            raise Crash

        saga._STEPS[state] = dying
        try:
            self.place(1, 1, "tok_ok")
            self.work()
        except Crash:
            pass
        finally:
            saga._STEPS[state], saga._straight = step, straight

    @rule(
        baskets=st.lists(st.tuples(st.integers(1, 2), st.integers(0, 2)), min_size=2, max_size=4),
        during=st.sampled_from([None, "cancel", "expire", "work", "ask", "dies"]),
        which=st.integers(0, 29),
    )
    def place_in_a_crowd(self, baskets, during, which):
        """Orders that are answered once they are confirmed, and come to rest together; in between, anything."""
        confirmed = []
        with checkout._CROWD, pytest.MonkeyPatch.context() as patch:
            patch.setattr(checkout.COMPLETIONS, "add", confirmed.append)
            asked = [self.place(a, b, "tok_ok") for a, b in baskets]
        if during == "dies":
            return
        if during == "ask":
            self.ask(asked[which % len(asked)])
        elif during:
            getattr(self, during)(*([] if during == "work" else [which]))
        if confirmed:
            completion.complete(confirmed)

    @rule(after=st.booleans(), call=st.sampled_from(["commit_all", "consume_all"]))
    def crash_in_a_round(self, after, call):
        """The process dies before or after stock sold, or the carts let go, for all of a round."""
        real = getattr(clients, call)

        def dying(*args, **words):
            if after:
                real(*args, **words)
            raise Crash

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(clients, call, dying)
            with contextlib.suppress(Crash):
                self.place_in_a_crowd([(1, 0), (1, 1)], None, 0)

    @rule()
    def work(self):
        """The worker's turn, some time later: leases have run out, and breakers are closed again."""
        _close_breakers()
        Order.objects.update(next_attempt="2020-01-01T00:00Z", lease_until="2020-01-01T00:00Z")
        completion.go_on(batch=100)

    # Drawn before it is known how many there are, for that depends on breakers, and so on the time.
    @rule(which=st.integers(0, 29))
    def cancel(self, which):
        ids = list(Order.objects.order_by("number").values_list("pk", flat=True))
        if ids:
            id = ids[which % len(ids)]
            answer = self.client.post(f"/api/v1/orders/{id}/cancel?access_token={_access(id)}")
            assert answer.status_code in (200, 202, 409)

    @rule(which=st.integers(0, 29))
    def expire(self, which):
        held = sorted(id for id, known in self.shop.reservations.items() if known["state"] == "held")
        if held:
            self.shop.expire(held[which % len(held)])

    def teardown(self):
        self.shop.down, self.shop.lose = set(), type(self.shop.lose)(int)
        for _ in range(30):
            if not Order.objects.filter(state__in=UNDER_WAY).exists():
                break
            self.work()
        self.check()

    def check(self):
        sold = {"A": 0, "B": 0}
        for order in Order.objects.all():
            assert order.state in GOOD | ENDED, order.state
            charge = self.charges.find(str(order.pk))
            held = self.shop.reservations.get(str(order.pk), {"state": "none"})
            if order.state in GOOD:
                assert (charge["state"], charge["amount"], held["state"]) == ("succeeded", order.total, "committed")
                assert held["lines"] == dict(order.lines.values_list("sku", "quantity"))
                for sku, quantity in held["lines"].items():
                    sold[sku] += quantity
            else:
                assert charge is None or charge["state"] != "succeeded", (order.state, charge)
                assert held["state"] not in ("held", "committed"), (order.state, held)
        assert self.shop.available == {sku: 6 - quantity for sku, quantity in sold.items()}


def _access(id):
    from orders.domain.documents import access_token

    return access_token(id)


def test_any_weather(shop, charges, monkeypatch):
    monkeypatch.setattr("chassis.http.time.sleep", lambda seconds: None)  # pauses between attempts prove nothing here
    monkeypatch.setattr("orders.domain.leases.PATIENCE_SECONDS", 0)  # who crashed is not waited for
    Machine.shop, Machine.charges = shop, charges
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=200, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
