"""The test payment provider, over HTTP. A charge's key is the order's id: the same key never charges twice.

Every function says what the provider knows for certain, or raises ``Unavailable``: then nothing is known.
"""

from functools import cache
from uuid import UUID

from chassis import env
from chassis.errors import Unavailable
from chassis.http import Answer, ServiceClient

SUCCEEDED, DECLINED, ERROR, VOIDED, REFUNDED = "succeeded", "declined", "error", "voided", "refunded"


@cache
def _client() -> ServiceClient:
    # PAYMENT_URL: where the payment provider is reached. PAYMENT_SECRET: shared with it.
    secret = env.secret("PAYMENT_SECRET")
    return ServiceClient("payment", env.words("PAYMENT_URL"), read=3.0, token=lambda target: secret)


def charge(*, key: UUID, amount: int, currency: str, token: str) -> str:
    """Charges ``amount`` minor units once: ``succeeded``, ``declined``, ``error`` or what became of the key before.

    Not repeated by itself: when no answer comes, ask with ``look_up``.
    """
    body = {"key": str(key), "amount": amount, "currency": currency, "token": token}
    return _state(_client().call("POST", "/charges", body=body, repeatable=False))


def look_up(*, key: UUID) -> str | None:
    """What became of the key; None where the provider never heard of it."""
    answer = _client().call("GET", f"/charges/{key}")
    return None if answer.status == 404 else _state(answer)


def void(*, key: UUID) -> str:
    """Makes sure that nothing is charged under the key, now or later; money that moved goes back."""
    return _state(_client().call("POST", f"/charges/{key}/void", repeatable=True))


def refund(*, key: UUID) -> str:
    """Gives the whole charge back, once."""
    return _state(_client().call("POST", f"/charges/{key}/refund", repeatable=True))


def _state(answer: Answer) -> str:
    if not answer.ok:
        raise Unavailable(f"The payment provider answered {answer.status}. Please try again.")
    return str(answer.body["state"])
