"""Placing an order: once per key, inline while the time allows, by itself after that."""

from dataclasses import dataclass
from time import perf_counter
from typing import Any
from uuid import UUID, uuid4

import orjson
from chassis import deadline, faults, prepared
from chassis.errors import Unavailable
from chassis.idempotency import keys
from chassis.idempotency.models import IdempotencyRecord
from chassis.ids import uuid7
from chassis.rounds import Crowd
from django.db import IntegrityError, InterfaceError, OperationalError, connection
from django.db.models import Exists, OuterRef, Q
from django.http import HttpResponse

from orders import metrics
from orders.domain import answers, leases, refusals
from orders.domain.completion import COMPLETIONS, sell
from orders.domain.saga import Run
from orders.domain.snapshots import known_lines_of, lines_of
from orders.domain.transitions import DEADLINE_SECONDS, LEASE_SECONDS, Fenced
from orders.models import WORK, Order, Payment, State

_OUTCOMES = {201: "created", 202: "accepted"}
_DATABASE_FAULTS = (OperationalError, InterfaceError)
_PASSING = (Unavailable, *_DATABASE_FAULTS)
"""A neighbour, or the database, does not answer at the moment."""
_CROWD = Crowd()
"""Those who are placing an order."""

_COLUMNS = """
    id, state, customer, email, shipping_address, cart, currency, subtotal, discount, shipping, tax, total,
    expected_total, method, token, given_up, attempts, lease, lease_until, next_attempt, idempotency_id"""
_ROW = """
    %(id)s, 'pending', %(customer)s::uuid, %(email)s, %(shipping_address)s::jsonb, %(cart)s, %(currency)s,
    0, 0, 0, 0, 0,
    %(expected_total)s::bigint, %(method)s, %(token)s, true, 0, %(lease)s,
    now() + make_interval(secs => %(seconds)s), now() + make_interval(secs => %(patience)s), key.id"""
_TIMES = {"seconds": LEASE_SECONDS, "patience": leases.CLIENT_SECONDS}
_MADE = ("number", "lease_until", "next_attempt", "created", "updated", "idempotency_id")
"""What the database makes of a new order; all else is known."""
# The key and the order come to be together, or not at all.
_PLACE = f"""
    WITH key AS ({{key}}), placed AS (
        INSERT INTO orders_order ({_COLUMNS}) SELECT {_ROW} FROM key RETURNING *
    ), event AS (
        INSERT INTO orders_orderevent (order_id, event, actor, note) SELECT id, 'pending', %(actor)s, '' FROM placed
    )
    SELECT {", ".join(_MADE)} FROM placed
"""
_PLACE_NEW = _PLACE.format(
    key="""
        INSERT INTO idempotency_idempotencyrecord (scope, key, fingerprint, headers)
        VALUES (%(scope)s, %(key)s, %(fingerprint)s, '{}') ON CONFLICT (scope, key) DO NOTHING RETURNING id"""
)
_PLACE_AGAIN = _PLACE.format(key="SELECT %(record)s::bigint AS id")


@dataclass(frozen=True)
class Request:
    """What a client asks for. ``expected_total`` in minor units; ``customer`` None for a guest."""

    cart: UUID
    customer: UUID | None
    email: str
    shipping_address: dict[str, Any]
    method: str
    token: str
    currency: str
    expected_total: int | None = None


@dataclass(frozen=True)
class Placed:
    """What the client is to be told, and the run of an order that is confirmed and not at rest yet."""

    answer: answers.Answer
    run: Run | None = None

    def finish(self) -> None:
        """What can wait until the client has its answer: the goods leave the shelf and the cart."""
        if self.run:
            COMPLETIONS.add(self.run)


def place(*, request: Request, scope: str, key: str, fingerprint: str, actor: str) -> HttpResponse | Placed:
    """Places the order, or says again what was said under this key before.

    Raises ``KeyReused``, ``InProgress``, ``CheckoutInProgress``, and ``Unavailable`` for a passing fault before
    anything was paid: the same key may try again, and if nobody does, the order is rejected.
    """
    started = perf_counter()
    faults.point("orders.received")
    claim = {"scope": scope, "key": key, "fingerprint": fingerprint}
    order = _in_turn(request, actor, claim)
    fresh = order is not None
    if order is None:
        known = _resume(request, actor, claim)
        if isinstance(known, HttpResponse):
            return known
        order = known
    faults.point("orders.placed")
    try:
        with _CROWD:
            placed = _run(Run(order=order, actor=actor, fresh=fresh))
    except _PASSING:
        metrics.CHECKOUT.labels("unavailable").observe(perf_counter() - started)
        raise
    metrics.CHECKOUT.labels(_OUTCOMES.get(placed.answer.status, "refused")).observe(perf_counter() - started)
    return placed


def _in_turn(request: Request, actor: str, claim: dict[str, str]) -> Order | None:
    """``_insert``; where the cart's last order is confirmed, after it has taken its lines."""
    try:
        return _insert(_PLACE_NEW, request, actor, claim)
    except refusals.CheckoutInProgress:
        leases.wait_for_rest(Order.objects.filter(cart=request.cart))
        return _insert(_PLACE_NEW, request, actor, claim)


def _insert(statement: str, request: Request, actor: str, values: dict[str, Any]) -> Order | None:
    """The new order, or None where the key is known already. One live order a cart: else ``CheckoutInProgress``."""
    row = vars(request) | {"shipping_address": orjson.dumps(request.shipping_address).decode()}
    ids = {"id": uuid7(), "lease": uuid4()}
    try:
        with connection.cursor() as cursor:
            prepared.execute(cursor, statement, {**row, **ids, **_TIMES, "actor": actor, **values})
            made = cursor.fetchone()
    except IntegrityError as error:
        if "order_one_live_per_cart" not in str(error) and "order_one_per_key" not in str(error):
            raise
        raise refusals.CheckoutInProgress("Another order of this cart is under way. Wait for it to end.") from None
    if made is None:
        return None
    # Not by the ORM's raw query, whose finding out of columns and converters costs as much as all of the reserving.
    order = Order(**vars(request), **ids, **dict(zip(_MADE, made, strict=True)))
    order._state.adding = False
    return order


def _resume(request: Request, actor: str, claim: dict[str, str]) -> HttpResponse | Order:
    """For a key that is known: the answer, or the order to go on with, when nobody is at work on it."""
    try:
        answer = keys.look_up(**claim).answer
        assert answer is not None
        return answer
    except keys.InProgress as running:
        record = IdempotencyRecord.objects.only("pk").get(scope=claim["scope"], key=claim["key"])
        order = Order.objects.filter(idempotency=record).exclude(state=State.REJECTED).first()
        again = leases.take(id=order.pk) if order else _insert(_PLACE_AGAIN, request, actor, {"record": record.pk})
        if again is None:
            raise running from None
        return again


def _run(run: Run) -> Placed:
    """Goes on until there is an answer or the time is over, then says what the client is to know.

    Where nobody else is ordering, the goods are sold before the answer; in a crowd after it, for all of them together.
    """
    order = run.order
    try:
        with deadline.within(DEADLINE_SECONDS):
            run.go_on(answer=True)
            rest = run if order.state == State.CONFIRMED else None
            if rest and _CROWD.size == 1:
                sell([rest])
    except _PASSING:
        if _unpaid(order):
            raise
        rest = None
    except Fenced:
        order, rest = Order.objects.get(pk=order.pk), None
    except BaseException:
        leases.let_go(order)
        raise
    faults.point("orders.answering")
    return Placed(run.answer, rest) if run.answer else Placed(_as_it_stands(order))


def _unpaid(order: Order) -> bool:
    """Lets go of the order; whether it is certain that nothing was paid, so that its client can be told to ask again.

    A statement of which no answer came may have been done. Where the database does not say, nothing is certain.
    """
    if connection.errors_occurred:
        connection.close_if_unusable_or_obsolete()
    try:
        state = leases.let_go(order, client=True)
    except _DATABASE_FAULTS:
        return False
    order.state = state or order.state
    return state in (State.PENDING, State.RESERVED)


def _as_it_stands(order: Order) -> answers.Answer:
    """The stored answer if somebody else came to one meanwhile, else 202: with what we know if the database is gone."""
    try:
        record = IdempotencyRecord.objects.filter(order=order, status__isnull=False).first()
        if record is not None:
            return answers.Answer(record.status or 500, bytes(record.body or b""), record.headers)
        return answers.accepted(order, lines_of(order), Payment.objects.filter(order=order).first())
    except _DATABASE_FAULTS:
        return answers.accepted(order, known_lines_of(order), None)


def forget_keys(*, batch: int = 1000) -> int:
    """Forgets keys older than 24 hours once no order of theirs is under way; returns how many.

    Also those that were never answered: nobody sent the key again, and their order was rejected meanwhile.
    """
    busy = Order.objects.filter(WORK, idempotency=OuterRef("pk"))
    return keys.forget_old(done=Q(~Exists(busy)), batch=batch)
