"""What a client is told of its checkout, byte for byte, and how that is kept under its key."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson
from chassis import problems
from chassis.errors import DomainError

from orders import metrics
from orders.domain import documents
from orders.domain.transitions import Along
from orders.models import STATUS, Order, OrderLine, Payment, State


@dataclass(frozen=True)
class Answer:
    """Status, body and headers; ``replayed`` when it was given before."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def confirmed(order: Order, lines: Iterable[OrderLine], payment: Payment) -> Answer:
    """201 with the order as it is once it is confirmed."""
    body = documents.document(order, lines, payment) | {"status": STATUS[State.CONFIRMED]}
    return Answer(201, orjson.dumps(body), {"Location": documents.location(order)})


def accepted(order: Order, lines: Iterable[OrderLine], payment: Payment | None) -> Answer:
    """202: the order goes on by itself; Location says where to look."""
    return Answer(202, documents.rendered(order, lines, payment), {"Location": documents.location(order)})


def refused(refusal: DomainError) -> Answer:
    """The problem document of a definitive no."""
    metrics.REFUSALS.labels(refusal.code).inc()
    body = orjson.dumps(problems.from_domain(refusal))
    return Answer(refusal.status, body, {"Content-Type": problems.MEDIA_TYPE, **problems.headers_of(refusal)})


def reason(refusal: DomainError) -> dict[str, Any]:
    """What the order's row remembers of a refusal."""
    return {"code": refusal.code, "detail": refusal.detail}


def stored(order: Order, answer: Answer) -> Along:
    """Keeps the answer under the order's key, in the transaction of the advance; an answer once kept stays."""
    clause = """
        answer AS (
            UPDATE idempotency_idempotencyrecord r
            SET status = %(answer_status)s, body = %(answer_body)s, headers = %(answer_headers)s::jsonb
            FROM moved WHERE r.id = %(answer_record)s AND r.status IS NULL
        )"""
    return Along().add(
        clause,
        answer_status=answer.status,
        answer_body=answer.body,
        answer_headers=orjson.dumps(answer.headers).decode(),
        answer_record=order.idempotency_id,
    )
