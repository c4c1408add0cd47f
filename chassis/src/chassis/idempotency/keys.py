"""Claiming an idempotency key and keeping the answer (draft-ietf-httpapi-idempotency-key-header).

The record is written in the transaction of what it guards: either both are there or neither.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from chassis.errors import DomainError
from chassis.idempotency.models import IdempotencyRecord

HEADER = "Idempotency-Key"
KEPT = timedelta(hours=24)
ANSWERED = Q(status__isnull=False)
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_CLAIM = """
    INSERT INTO idempotency_idempotencyrecord (scope, key, fingerprint, headers) VALUES (%s, %s, %s, '{}')
    ON CONFLICT (scope, key) DO NOTHING RETURNING id
"""


class KeyRequired(DomainError):
    """The request has no key and needs one."""

    status, code, title = 400, "idempotency_key_required", "An Idempotency-Key header is required"


class KeyInvalid(DomainError):
    """The key is not 1 to 255 visible ASCII characters."""

    status, code, title = 400, "idempotency_key_invalid", "The Idempotency-Key is not usable"


class KeyReused(DomainError):
    """The key was used before, for a different request."""

    status, code, title = 422, "idempotency_key_reused", "This Idempotency-Key was used for another request"


class InProgress(DomainError):
    """The first request with this key is still running."""

    code, title = "idempotency_in_progress", "The first request with this Idempotency-Key is still running"
    retry_after = 1


@dataclass(frozen=True)
class Claim:
    """A key that is ours: ``answer`` is None when the work is still to be done, else what was answered before."""

    record: int
    answer: HttpResponse | None = None


def described(*, required: bool) -> OpenApiParameter:
    """The header in the OpenAPI document."""
    schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x21-\x7e]+$"}
    return OpenApiParameter(HEADER, schema, OpenApiParameter.HEADER, required=required, description="Visible ASCII.")


def key_of(request: Request, *, required: bool = True) -> str | None:
    """The request's key. Raises ``KeyRequired`` or ``KeyInvalid``."""
    key = request.headers.get(HEADER)
    if key is None:
        if required:
            raise KeyRequired("Send an Idempotency-Key header, for example a new UUID for each order.")
        return None
    if not _KEY.fullmatch(key):
        raise KeyInvalid("An Idempotency-Key is 1 to 255 visible ASCII characters.")
    return key


def fingerprint(request: Request, data: Any) -> str:
    """What was asked: method, path and canonical body (sorted keys), as the hex of a SHA-256."""
    body = orjson.dumps(data, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(b"\n".join([str(request.method).encode(), request.path.encode(), body])).hexdigest()


def claim(*, scope: str, key: str, fingerprint: str) -> Claim:
    """Makes the key ours, or says what it was answered. To be called in the transaction of the work it guards.

    Raises ``KeyReused`` for another request under the same key and ``InProgress`` while the first one has no answer.
    """
    assert connection.in_atomic_block
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [scope, key, fingerprint])
        if row := cursor.fetchone():
            return Claim(record=row[0])
    return look_up(scope=scope, key=key, fingerprint=fingerprint)


def look_up(*, scope: str, key: str, fingerprint: str) -> Claim:
    """What an existing key was answered; the refusals of ``claim``."""
    record = IdempotencyRecord.objects.get(scope=scope, key=key)
    if record.fingerprint != fingerprint:
        raise KeyReused("Use a new key: this one belongs to a request with another body.")
    if record.status is None:
        raise InProgress("Wait a moment, then send the same request again.")
    return Claim(record=record.pk, answer=_replay(record))


def complete(record: int, *, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
    """Keeps the answer, byte for byte. To be called in the transaction that makes it true."""
    IdempotencyRecord.objects.filter(pk=record, status=None).update(status=status, body=body, headers=headers or {})


def forget_old(*, done: Q = ANSWERED, batch: int = 1000) -> int:
    """Deletes records older than 24 hours that are ``done``, at most ``batch``; returns how many."""
    with transaction.atomic():
        old = IdempotencyRecord.objects.filter(done, created__lt=Now() - KEPT).order_by("created")
        chosen = list(old.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[:batch])
        return IdempotencyRecord.objects.filter(pk__in=chosen).delete()[0]


def _replay(record: IdempotencyRecord) -> HttpResponse:
    headers = {"Content-Type": "application/json", **record.headers, "Idempotent-Replayed": "true"}
    return HttpResponse(bytes(record.body or b""), status=record.status, headers=headers)
