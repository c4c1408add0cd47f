"""Tokens: verified here, in every service, against published keys; no service asks another who somebody is.

Customers and staff carry access tokens of the customers service (RS256, ``aud`` "comptoir", RFC 9068). Services carry
tokens that they sign themselves, for one audience, good for a minute.
"""

import hashlib
import time
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from typing import Any, Literal

import orjson
from django.conf import settings
from joserfc import jws, jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import KeySet, RSAKey

from chassis import env
from chassis.keys import RemoteKeys

ISSUER = "comptoir"
AUDIENCE = "comptoir"
ALGORITHM = "RS256"
ACCESS_TOKEN_TYPE = "at+jwt"  # noqa: S105 - RFC 9068 section 2.1
SERVICE_TOKEN_SECONDS = 60
LEEWAY_SECONDS = 5
REMEMBERED_SECONDS = 60
"""How long a key that was withdrawn may go on to be believed for a token that was seen before."""


class InvalidToken(Exception):
    """The token does not hold; the message says why in words for its bearer."""

    code = "invalid_token"


class ExpiredToken(InvalidToken):
    """The token was good once."""

    code = "token_expired"


@dataclass(frozen=True)
class Principal:
    """Who is asking: a customer (staff are customers with roles) or a service."""

    kind: Literal["customer", "service"]
    id: str
    roles: frozenset[str] = field(default_factory=frozenset)
    is_authenticated = True

    @property
    def is_staff(self) -> bool:
        """Whether this is somebody of the shop's own."""
        return self.kind == "customer" and bool(self.roles)

    @property
    def customer_id(self) -> str | None:
        """The customer's id; None for a service."""
        return self.id if self.kind == "customer" else None


def verify(token: str) -> Principal:
    """The principal of a token. Raises ``InvalidToken`` for anything that is not in order.

    A token that was in order is taken as it is for as long as it lives, but at most ``REMEMBERED_SECONDS``.
    """
    name = hashlib.sha256(token.encode()).digest()
    principal, good_until = _verified.get(name, (None, 0.0))
    if principal is None or time.time() >= good_until:
        principal, ends = _verify(token)
        if len(_verified) >= _MOST_VERIFIED:
            _verified.clear()
        _verified[name] = principal, min(ends, time.time() + REMEMBERED_SECONDS)
    return principal


_verified: dict[bytes, tuple[Principal, float]] = {}
_MOST_VERIFIED = 10_000


def _verify(token: str) -> tuple[Principal, float]:
    """The principal, and when the token ends."""
    try:
        header = jws.extract_compact(token.encode()).headers()
        kid, known = header.get("kid"), service_keys()
        if not isinstance(kid, str) or not kid:
            raise InvalidToken("The token names no key.")
        if kid in known:
            claims = _claims(token, known[kid], issuer=kid, audience=settings.SERVICE)
            if not 0 < claims["exp"] - claims["iat"] <= SERVICE_TOKEN_SECONDS:
                raise InvalidToken(f"A service's token lives {SERVICE_TOKEN_SECONDS} seconds.")
            return Principal("service", kid), _end(claims)
        if header.get("typ") != ACCESS_TOKEN_TYPE:
            raise InvalidToken("This is not an access token.")
        claims = _claims(token, _customer_key(kid), issuer=ISSUER, audience=AUDIENCE)
        return Principal("customer", str(claims["sub"]), frozenset(map(str, claims.get("roles", [])))), _end(claims)
    except ExpiredTokenError:
        raise ExpiredToken("The token has expired. Get a new one.") from None
    except (JoseError, ValueError, TypeError, KeyError):
        raise InvalidToken("The token is not valid.") from None


def _end(claims: dict[str, Any]) -> float:
    return float(claims["exp"]) + LEEWAY_SECONDS


def _customer_key(kid: str) -> RSAKey:
    key = customer_keys().get(kid)
    if key is None:
        raise InvalidToken("The token is signed with an unknown key.")
    return key


def _claims(token: str, key: RSAKey, *, issuer: str, audience: str) -> dict[str, Any]:
    decoded = jwt.decode(token, key, algorithms=[ALGORITHM])
    required = jwt.JWTClaimsRegistry(
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": audience},
        sub={"essential": True},
        exp={"essential": True},
    )
    required.validate(decoded.claims)
    return decoded.claims


@cache
def customer_keys() -> RemoteKeys:
    """The key set of the customers service, fetched and kept."""
    # JWKS_URL: where the customers service publishes its keys.
    return RemoteKeys(env.text("JWKS_URL"))


@cache
def service_keys() -> dict[str, RSAKey]:
    """The public keys of all services by name."""
    # SERVICE_JWKS: a JWKS document (RFC 7517) with each service's public key, its kid being the service's name.
    keys = KeySet.import_key_set(orjson.loads(env.text("SERVICE_JWKS")))
    return {str(key.kid): key for key in keys.keys if isinstance(key, RSAKey)}


@cache
def own_key() -> RSAKey:
    """This service's private key."""
    # SERVICE_KEY: an RSA private key, PEM.
    return RSAKey.import_key(env.secret("SERVICE_KEY"))


_tokens: dict[str, tuple[str, float]] = {}
_lock = Lock()


def service_token(audience: str) -> str:
    """A token of this service for calls to ``audience``; made anew when half of its 60 seconds are over."""
    now = time.time()
    with _lock:
        token, fresh_until = _tokens.get(audience, ("", 0.0))
        if now >= fresh_until:
            token = _sign(audience, now)
            _tokens[audience] = (token, now + SERVICE_TOKEN_SECONDS / 2)
        return token


def _sign(audience: str, now: float) -> str:
    name = settings.SERVICE
    claims = {"iss": name, "sub": name, "aud": audience, "iat": int(now), "exp": int(now) + SERVICE_TOKEN_SECONDS}
    return jwt.encode({"alg": ALGORITHM, "kid": name, "typ": "JWT"}, claims, own_key())
