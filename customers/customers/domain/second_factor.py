"""Codes of an authenticator app as a second factor (RFC 6238): enrol, check, recover, remove.

Whoever enrols is asked for a code at each sign-in from then on. A code holds for its 30 seconds and the 30 before and
after, for clocks that differ, and counts once. Ten recovery codes stand in for a lost app, each once.
"""

import hmac
import secrets
import time

import pyotp
from chassis.errors import DomainError
from django.db import transaction
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac

from customers.domain import throttle
from customers.domain.ciphers import cipher
from customers.models import Customer, RecoveryCode, SecondFactor

STEP_SECONDS = 30
RECOVERY_CODES = 10
PURPOSE = "second-factors"


class CodeRequired(DomainError):
    """The password is right, and the account has a second factor."""

    status, code, title = 401, "otp_required", "A code is needed too"


class WrongCode(DomainError):
    """The code is wrong, too old, or was used before."""

    status, code, title = 401, "otp_invalid", "The code is wrong"


def enrolled(*, customer: Customer) -> bool:
    """Whether a sign-in needs a code."""
    return SecondFactor.objects.filter(customer=customer, confirmed__isnull=False).exists()


def begin(*, customer: Customer) -> str:
    """The secret (base32) to put into an app; the same one until it is confirmed. Empty where that was done."""
    made = cipher(PURPOSE).encrypt(pyotp.random_base32().encode()).decode()
    factor, _ = SecondFactor.objects.get_or_create(customer=customer, defaults={"secret": made})
    return "" if factor.confirmed else _secret(factor)


def address(*, customer: Customer, secret: str) -> str:
    """What the QR code holds: an ``otpauth://`` address."""
    return pyotp.TOTP(secret).provisioning_uri(name=customer.email, issuer_name="Comptoir")


def confirm(*, customer: Customer, code: str) -> list[str]:
    """Enrols, where the code is that of the app; returns the recovery codes, which are shown this once.

    Raises ``WrongCode`` or ``TooManyAttempts``.
    """
    with _limited(customer), transaction.atomic():
        factor = SecondFactor.objects.select_for_update().filter(customer=customer, confirmed=None).first()
        step = _step_of(factor, code) if factor else None
        if factor is None or step is None:
            raise WrongCode("Enter the code that the app shows now.")
        factor.confirmed, factor.last_step = Now(), step
        factor.save()
        return _new_recovery_codes(factor)


def check(*, customer: Customer, code: str) -> None:
    """Nothing, where the account has no second factor or the code is its own; the code counts no second time.

    Raises ``CodeRequired`` for an empty one, ``WrongCode``, ``TooManyAttempts``.
    """
    factor = SecondFactor.objects.filter(customer=customer, confirmed__isnull=False).first()
    if factor is None:
        return
    if not code:
        raise CodeRequired("Send the code of your authenticator app, or a recovery code, as otp.")
    with _limited(customer):
        if not (_spend_step(factor, code) or _spend_recovery_code(factor, code)):
            raise WrongCode("The code is wrong or was used. Wait for the next one.")


def renew_recovery_codes(*, customer: Customer, code: str) -> list[str]:
    """New recovery codes in the place of the old ones, which are void. Refusals as ``check``."""
    check(customer=customer, code=code)
    with transaction.atomic():
        return _new_recovery_codes(SecondFactor.objects.select_for_update().get(customer=customer))


def recovery_codes_left(*, customer: Customer) -> int:
    """How many are unused."""
    return RecoveryCode.objects.filter(factor__customer=customer, used=None).count()


def remove(*, customer: Customer) -> bool:
    """Without a second factor from now on; whether there was one."""
    return bool(SecondFactor.objects.filter(customer=customer).delete()[0])


class _limited:
    """Tries are counted; a right one gives the whole bucket back, outside of the try's transaction."""

    def __init__(self, customer: Customer) -> None:
        self._key = (throttle.CODE, str(customer.pk))

    def __enter__(self) -> None:
        throttle.take(self._key)

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is None:
            throttle.clear(self._key)


def _secret(factor: SecondFactor) -> str:
    return cipher(PURPOSE).decrypt(factor.secret.encode()).decode()


def _step_of(factor: SecondFactor, code: str) -> int | None:
    """The 30 seconds that the code belongs to, None where it is none of now."""
    app, now = pyotp.TOTP(_secret(factor)), int(time.time()) // STEP_SECONDS
    fitting = [step for step in (now - 1, now, now + 1) if hmac.compare_digest(app.generate_otp(step), code)]
    return fitting[0] if fitting else None


def _spend_step(factor: SecondFactor, code: str) -> bool:
    step = _step_of(factor, code) if code.isascii() else None
    fresh = SecondFactor.objects.filter(pk=factor.pk, last_step__lt=step) if step else SecondFactor.objects.none()
    return bool(fresh.update(last_step=step))


def _spend_recovery_code(factor: SecondFactor, code: str) -> bool:
    unused = RecoveryCode.objects.filter(digest=_digest(factor, code), factor=factor, used=None)
    return bool(unused.update(used=Now()))


def _new_recovery_codes(factor: SecondFactor) -> list[str]:
    codes = [_readable(secrets.token_hex(8)) for _ in range(RECOVERY_CODES)]
    factor.recovery_codes.all().delete()
    RecoveryCode.objects.bulk_create(RecoveryCode(digest=_digest(factor, code), factor=factor) for code in codes)
    return codes


def _readable(word: str) -> str:
    return "-".join(word[at : at + 4] for at in range(0, len(word), 4))


def _digest(factor: SecondFactor, code: str) -> str:
    plain = code.replace("-", "").strip().lower()
    return salted_hmac(f"customers.recovery-codes.{factor.pk}", plain, algorithm="sha256").hexdigest()
