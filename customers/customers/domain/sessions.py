"""Sessions: an access token for five minutes, and a chain of refresh tokens that lasts while it is used.

Refresh tokens are 256 random bits, kept as their SHA-256 (nothing to guess, so nothing to salt). Each is good once, for
30 days; using one twice means that somebody has a copy, and ends the whole family (RFC 9700, section 4.14.2).
"""

import hashlib
import secrets
import time
import uuid
from dataclasses import dataclass
from typing import Any

import structlog
from chassis.errors import DomainError
from chassis.tokens import ACCESS_TOKEN_TYPE, ALGORITHM, AUDIENCE, ISSUER
from django.db import connection
from django.db.models.functions import Now
from joserfc import jwt

from customers import metrics
from customers.domain import keys, staff_sign_in
from customers.models import Customer, RefreshToken, Session

ACCESS_SECONDS = 300
REFRESH_SECONDS = 30 * 24 * 3600
Reason = Session.Reason
_log = structlog.get_logger("sessions")


class InvalidRefresh(DomainError):
    """The refresh token is unknown, used, expired, or its session has ended."""

    status, code, title = 401, "invalid_refresh_token", "The refresh token is not valid"


@dataclass(frozen=True)
class Tokens:
    """What a client gets: ``expires_in`` seconds are left for the access token."""

    access: str
    refresh: str
    expires_in: int = ACCESS_SECONDS


# The customer's row is written, and so locked: while a password changes, the old one starts no session.
_START = """
    WITH signed_in AS (
        UPDATE customers_customer SET last_login = statement_timestamp()
        WHERE id = %(customer)s AND password = %(password)s AND is_active RETURNING id
    ), session AS (
        INSERT INTO customers_session (id, customer_id) SELECT %(session)s, id FROM signed_in RETURNING id
    ), token AS (
        INSERT INTO customers_refreshtoken (digest, session_id, expires)
        SELECT %(next)s, id, statement_timestamp() + make_interval(secs => %(seconds)s) FROM session
    )
    SELECT EXISTS (SELECT FROM session)
"""
_ROTATE = """
    WITH spent AS (
        UPDATE customers_refreshtoken t SET used = statement_timestamp()
        FROM customers_session s JOIN customers_customer c ON c.id = s.customer_id
        WHERE t.digest = %(digest)s AND t.used IS NULL AND t.expires > statement_timestamp()
            AND s.id = t.session_id AND s.ended IS NULL AND c.is_active
        RETURNING t.session_id, s.customer_id
    ), next AS (
        INSERT INTO customers_refreshtoken (digest, session_id, expires)
        SELECT %(next)s, session_id, statement_timestamp() + make_interval(secs => %(seconds)s) FROM spent
    )
    SELECT customer_id FROM spent
"""
_END_FAMILY = """
    UPDATE customers_session s SET ended = statement_timestamp(), reason = %(reason)s FROM customers_refreshtoken t
    WHERE t.digest = %(digest)s AND s.id = t.session_id AND s.ended IS NULL
"""


def start(*, customer: Customer, password: str) -> Tokens | None:
    """A new session of an active account; None where its password hash is no longer ``password`` by now."""
    refresh = secrets.token_urlsafe(32)
    started = _value(
        _START,
        customer=customer.pk,
        password=password,
        session=uuid.uuid4(),
        next=digest(refresh),
        seconds=REFRESH_SECONDS,
    )
    return Tokens(access=access_token(customer), refresh=refresh) if started else None


def refresh(*, token: str) -> Tokens:
    """Trades a refresh token for new tokens; of any number of calls with one token, one succeeds.

    Raises ``InvalidRefresh``; for a used token its session has ended then.
    """
    following = secrets.token_urlsafe(32)
    owner = _value(_ROTATE, digest=digest(token), next=digest(following), seconds=REFRESH_SECONDS)
    if owner is None:
        used = RefreshToken.objects.filter(digest=digest(token), used__isnull=False).exists()
        if used:
            end_family(token=token, reason=Reason.REUSE)
            _log.warning("refresh_token_reused")
        metrics.REFRESHES.labels("reused" if used else "invalid").inc()
        raise InvalidRefresh("Sign in again: this refresh token was used, has ended or was never valid.")
    metrics.REFRESHES.labels("ok").inc()
    return Tokens(access=access_token(Customer.objects.get(pk=owner)), refresh=following)


def end_family(*, token: str, reason: str = Reason.REVOKED) -> None:
    """Ends the session of a refresh token, used or not; an unknown token changes nothing."""
    with connection.cursor() as cursor:
        cursor.execute(_END_FAMILY, {"digest": digest(token), "reason": reason})


def end_all(*, customer: Customer) -> int:
    """Staff end every session of the customer; returns how many. Access tokens live out their five minutes."""
    if customer.is_staff:
        staff_sign_in.end(customer=customer)
    return customer.sessions.filter(ended=None).update(ended=Now(), reason=Reason.ADMIN)


def end(*, ids: list[uuid.UUID]) -> int:
    """Staff end the sessions with these ids; returns how many were not over yet."""
    return Session.objects.filter(pk__in=ids, ended=None).update(ended=Now(), reason=Reason.ADMIN)


def forget_old(*, batch: int = 5000) -> int:
    """Deletes expired tokens, and sessions without any, at most ``batch`` each; returns how many."""
    old = RefreshToken.objects.filter(expires__lt=Now()).order_by("expires").values("pk")[:batch]
    empty = Session.objects.filter(tokens=None).order_by("created").values("pk")[:batch]
    tokens = RefreshToken.objects.filter(pk__in=old).delete()[0]
    return tokens + Session.objects.filter(pk__in=empty).delete()[0]


def access_token(customer: Customer) -> str:
    """A signed access token (RFC 9068), with the roles of staff."""
    key, now = keys.published().signing(), int(time.time())
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(customer.pk),
        "iat": now,
        "exp": now + ACCESS_SECONDS,
        "jti": uuid.uuid4().hex,
    }
    if roles := customer.roles:
        claims["roles"] = roles
    return jwt.encode({"alg": ALGORITHM, "kid": key.kid, "typ": ACCESS_TOKEN_TYPE}, claims, key)


def digest(token: str) -> str:
    """The SHA-256 of a token, hex: what the database keeps of it."""
    return hashlib.sha256(token.encode()).hexdigest()


def _value(statement: str, **parameters: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        row = cursor.fetchone()
    return row[0] if row else None
