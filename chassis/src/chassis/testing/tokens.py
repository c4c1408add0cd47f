"""Keys and tokens for tests: the real algorithms with keys made for one run."""

import json
import time
from typing import Any

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from chassis.tokens import ACCESS_TOKEN_TYPE, ALGORITHM, AUDIENCE, ISSUER


def new_key(kid: str) -> RSAKey:
    """A fresh RSA key."""
    return RSAKey.generate_key(2048, parameters={"kid": kid}, private=True)


def public(*keys: RSAKey) -> str:
    """The JWKS document of the keys' public halves."""
    return json.dumps(KeySet(list(keys)).as_dict(private=False))


def access_token(key: RSAKey, *, sub: str, roles: tuple[str, ...] = (), **changes: Any) -> str:
    """An access token as the customers service makes them; ``changes`` replace claims (None drops one)."""
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": sub, "iat": now, "exp": now + 300}
    claims |= ({"roles": list(roles)} if roles else {}) | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode({"alg": ALGORITHM, "kid": key.kid, "typ": ACCESS_TOKEN_TYPE}, claims, key)


def token_of_service(key: RSAKey, *, audience: str, **changes: Any) -> str:
    """A service's token; the key's id is the service's name."""
    now = int(time.time())
    claims = {"iss": key.kid, "sub": key.kid, "aud": audience, "iat": now, "exp": now + 60} | changes
    return jwt.encode({"alg": ALGORITHM, "kid": key.kid, "typ": "JWT"}, claims, key)
