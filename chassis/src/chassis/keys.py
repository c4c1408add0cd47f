"""Public keys that another service publishes: fetched when needed, kept, and kept on while their source is down."""

import time
from threading import Lock

import orjson
import structlog
import urllib3
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey

from chassis.errors import Unavailable

FRESH_SECONDS = 300
"""How long the keys are taken as they are."""
RETRY_SECONDS = 2
"""How long after a fetch the next one waits, so that made-up key ids cannot turn into a flood of fetches."""
_log = structlog.get_logger("keys")


class RemoteKeys:
    """The RSA keys of a JWKS document (RFC 7517) at a URL. An unknown key id leads to a new look, at most every 2 s."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._http = urllib3.PoolManager(timeout=urllib3.Timeout(connect=0.5, read=2.0), retries=False)
        self._keys: dict[str, RSAKey] = {}
        self._fetched = self._tried = float("-inf")
        self._lock = Lock()

    def get(self, kid: str) -> RSAKey | None:
        """The key with that id, None where the source knows no such key; ``Unavailable`` where no key was ever had."""
        now = time.monotonic()
        if kid not in self._keys or now - self._fetched > FRESH_SECONDS:
            with self._lock:
                if now - self._tried > RETRY_SECONDS:
                    self._fetch()
        if not self._keys:
            raise Unavailable("Sign-in cannot be checked at the moment. Please try again.")
        return self._keys.get(kid)

    def _fetch(self) -> None:
        self._tried = time.monotonic()
        try:
            response = self._http.request("GET", self._url)
            if response.status != 200:
                raise ValueError(f"status {response.status}")
            found = KeySet.import_key_set(orjson.loads(response.data))
        except (urllib3.exceptions.HTTPError, JoseError, ValueError, KeyError, TypeError) as error:
            _log.warning("keys_not_fetched", url=self._url, error=str(error), kept=len(self._keys))
            return
        self._keys = {str(key.kid): key for key in found.keys if isinstance(key, RSAKey) and key.kid}
        self._fetched = self._tried
