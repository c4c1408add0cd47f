"""Failed sign-ins, counted in the database: one count for all instances, whatever headers a caller sends.

Each key has a bucket of tries that fills up again at a steady rate (GCRA, ITU-T I.371: one timestamp a key). A try is
taken before the password is looked at and given back when it was right, so a hundred guesses at once get no further
than a hundred in a row. Keys are keyed digests: the table tells nobody's address.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from chassis.errors import DomainError
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac

from customers.models import Throttle


@dataclass(frozen=True)
class Limit:
    """``tries`` at once, then one every ``seconds``."""

    name: str
    tries: int
    seconds: int


ACCOUNT = Limit("account", tries=10, seconds=90)
"""Wrong passwords for one account: 40 an hour (OWASP ASVS 5.0, 6.3.1; NIST SP 800-63B-4 asks for at most 100)."""
ORIGIN = Limit("origin", tries=20, seconds=3)
"""Wrong passwords from one network address: an office shares one, so it recovers sooner."""
CODE = Limit("code", tries=5, seconds=60)
"""Wrong codes of a second factor for one account whose password is known: 60 an hour, of a million at 3 good ones."""
MAILBOX = Limit("mailbox", tries=5, seconds=600)
"""Mails that strangers can have sent to one address."""


class TooManyAttempts(DomainError):
    """The bucket is empty; ``retry_after`` says for how many seconds."""

    status, code, title = 429, "too_many_attempts", "Too many failed attempts"

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many failed attempts. Try again in {seconds} seconds.")
        self.retry_after = seconds


_NOW = "statement_timestamp()"
_EACH, _ALL = "make_interval(secs => %(each)s)", "make_interval(secs => %(all)s)"
_TAKE = f"""
    INSERT INTO customers_throttle AS t (key, whole_at) VALUES (%(key)s, {_NOW} + {_EACH})
    ON CONFLICT (key) DO UPDATE SET whole_at = greatest(t.whole_at, {_NOW}) + {_EACH}
    WHERE greatest(t.whole_at, {_NOW}) + {_EACH} <= {_NOW} + {_ALL}
    RETURNING key
"""
_WAIT = f"SELECT extract(epoch FROM whole_at + {_EACH} - {_ALL} - {_NOW}) FROM customers_throttle WHERE key = %(key)s"
_GIVE_BACK = f"UPDATE customers_throttle SET whole_at = whole_at - {_EACH} WHERE key = %(key)s"

Key = tuple[Limit, str]


def take(*keys: Key) -> None:
    """Takes a try of each key's bucket, all or none. Raises ``TooManyAttempts``.

    Name the keys in one order everywhere (account, then origin): they are locked in it.
    """
    with transaction.atomic():
        for limit, value in keys:
            wait = _take(limit, value)
            if wait is not None:
                raise TooManyAttempts(wait)


def allows(key: Key) -> bool:
    """Takes a try where there is one; whether there was."""
    return _take(*key) is None


def give_back(*keys: Key) -> None:
    """Returns what ``take`` took."""
    _execute(_GIVE_BACK, keys)


def clear(key: Key) -> None:
    """Makes the bucket whole."""
    Throttle.objects.filter(key=_digest(*key)).delete()


def forget_old() -> int:
    """Deletes the buckets that are whole; returns how many."""
    return Throttle.objects.filter(whole_at__lt=Now()).delete()[0]


def _take(limit: Limit, value: str) -> int | None:
    """Takes a try; None, or the seconds until there will be one."""
    parameters = _parameters(limit, value)
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, parameters)
        if cursor.fetchone():
            return None
        cursor.execute(_WAIT, parameters)
        row = cursor.fetchone()
    return max(1, math.ceil(row[0])) if row else 1


def _execute(statement: str, keys: Sequence[Key]) -> None:
    with connection.cursor() as cursor:
        for key in keys:
            cursor.execute(statement, _parameters(*key))


def _parameters(limit: Limit, value: str) -> dict[str, str | int]:
    return {"key": _digest(limit, value), "each": limit.seconds, "all": limit.seconds * limit.tries}


def _digest(limit: Limit, value: str) -> str:
    return salted_hmac(f"customers.throttle.{limit.name}", value, algorithm="sha256").hexdigest()
