"""The keys that sign access tokens: made at first need, published, rotated side by side.

A new key is published before it signs, an old one after, both for longer than any verifier keeps what it fetched
(``Cache-Control`` plus chassis.keys.FRESH_SECONDS). So a rotation refuses no good token. Deciding clock: the database.
"""

import time
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock
from typing import Any

import structlog
from cryptography.fernet import InvalidToken
from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from joserfc.jwk import KeySet, RSAKey

from customers.domain.ciphers import cipher
from customers.models import SigningKey

AHEAD = timedelta(minutes=15)
"""How long a new key is published before it signs, and an old one after it signed."""
PURPOSE = "signing-keys"
CACHE_SECONDS = 300
"""What the published key set's ``Cache-Control`` allows."""
_RELOAD_SECONDS = 30.0
_RETRY_SECONDS = 2.0
_LOCK = 7_301_001  # of pg_advisory_xact_lock: who makes a key
_log = structlog.get_logger("keys")


@dataclass(frozen=True)
class _Keys:
    signing: RSAKey
    public: dict[str, RSAKey]
    loaded: float


class Published:
    """The key set as verifiers see it, read from the database and kept for a while; chassis.tokens asks it."""

    def __init__(self) -> None:
        self._keys: _Keys | None = None
        self._lock = Lock()

    def get(self, kid: str) -> RSAKey | None:
        """The public key with that id, None where there is none."""
        keys = self._fresh(_RELOAD_SECONDS)
        if kid not in keys.public:
            keys = self._fresh(_RETRY_SECONDS)
        return keys.public.get(kid)

    def signing(self) -> RSAKey:
        """The private key that signs now; at most half a minute behind the database."""
        return self._fresh(_RELOAD_SECONDS).signing

    def document(self) -> dict[str, Any]:
        """The JWKS document (RFC 7517), at most two seconds behind the database."""
        return dict(KeySet(list(self._fresh(_RETRY_SECONDS).public.values())).as_dict(private=False))

    def forget(self) -> None:
        """Reads the database anew at the next use."""
        self._keys = None

    def _fresh(self, seconds: float) -> _Keys:
        keys = self._keys
        if keys is None or time.monotonic() - keys.loaded >= seconds:
            with self._lock:
                self._keys = keys = _load()
        return keys


_published = Published()


def published() -> Published:
    """The one key set of this process."""
    return _published


def rotate(*, compromised: bool = False) -> SigningKey:
    """A new key that signs in 15 minutes; those before it are published for 15 minutes more, then forgotten.

    ``compromised``: it signs at once and the others are withdrawn, so that every access token has to be renewed; what a
    service has verified it remembers for ``chassis.tokens.REMEMBERED_SECONDS``.
    """
    with transaction.atomic():
        _serialize()
        ahead = timedelta(0) if compromised else AHEAD
        old = SigningKey.objects.filter(published_until=None)
        old.update(published_until=Now() + ahead * 2)
        if compromised:
            SigningKey.objects.update(published_until=Now())
        made = _make(ahead)
    _published.forget()
    return made


def forget_old() -> int:
    """Deletes the keys that are published no more; returns how many."""
    return SigningKey.objects.filter(published_until__lt=Now()).delete()[0]


def _load() -> _Keys:
    """The keys as the database has them; makes the first one, and a new one where none can be decrypted any more."""
    signing = _signing_row()
    if signing is None:
        with transaction.atomic():
            _serialize()
            signing = _signing_row() or _decrypted(_make(timedelta(0)))
    rows = SigningKey.objects.filter(Q(published_until=None) | Q(published_until__gt=Now()))
    public = {row.kid: RSAKey.import_key(row.public) for row in rows}
    assert signing is not None
    return _Keys(signing=signing, public=public, loaded=time.monotonic())


def _signing_row() -> RSAKey | None:
    rows = SigningKey.objects.filter(Q(published_until=None) | Q(published_until__gt=Now()), signs_from__lte=Now())
    return next((key for row in rows.order_by("-signs_from", "-created") if (key := _decrypted(row))), None)


def _decrypted(row: SigningKey) -> RSAKey | None:
    try:
        pem = cipher(PURPOSE).decrypt(row.private.encode())
    except InvalidToken:
        # SECRET_KEY is another one. What the key signed still verifies; a new one signs from now on.
        _log.warning("signing_key_not_readable", kid=row.kid)
        return None
    return RSAKey.import_key(pem, parameters={"kid": row.kid})


def _make(ahead: timedelta) -> SigningKey:
    key = generate()
    kid = key.thumbprint()  # RFC 7638
    public = key.as_dict(private=False) | {"kid": kid, "use": "sig", "alg": "RS256"}
    private = cipher(PURPOSE).encrypt(key.as_pem(private=True)).decode()
    return SigningKey.objects.create(kid=kid, public=public, private=private, signs_from=Now() + ahead)


def generate() -> RSAKey:
    """A fresh RSA key of 2048 bits (NIST SP 800-57: good until 2030)."""
    return RSAKey.generate_key(2048, private=True)


def _serialize() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
