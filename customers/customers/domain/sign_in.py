"""Signing in with an e-mail address and a password. An unknown address answers like a wrong password, and as late."""

from chassis.errors import DomainError

from customers import metrics
from customers.domain import passwords, second_factor, sessions, throttle
from customers.models import Customer


class InvalidCredentials(DomainError):
    """The address is unknown, the password is wrong, or the account is closed: nobody is told which."""

    status, code, title = 401, "invalid_credentials", "The e-mail address or the password is wrong"


def sign_in(*, email: str, password: str, origin: str, otp: str = "") -> sessions.Tokens:
    """New tokens. ``origin`` is the network address of the caller, for the throttle; ``otp`` the code of an
    authenticator app or a recovery code, for an account that has enrolled.

    Raises ``InvalidCredentials``, ``CodeRequired``, ``WrongCode``, ``TooManyAttempts``, ``Busy``.
    """
    customer = authenticate(email=email, password=password, origin=origin)
    second_factor.check(customer=customer, code=otp)
    tokens = sessions.start(customer=customer, password=customer.password)
    if tokens is None:  # the password was changed while we looked at the old one
        raise InvalidCredentials
    return tokens


def authenticate(*, email: str, password: str, origin: str) -> Customer:
    """The account, where address and password fit together: the first factor. Raises ``InvalidCredentials``,
    ``TooManyAttempts``, ``Busy``.
    """
    account, source = (throttle.ACCOUNT, email), (throttle.ORIGIN, origin)
    try:
        throttle.take(account, source)
    except throttle.TooManyAttempts:
        metrics.SIGN_INS.labels("throttled").inc()
        raise
    customer = Customer.objects.filter(email=email, is_active=True).first()
    try:
        fits = passwords.fits(password, customer.password if customer else None)
    except passwords.Busy:
        throttle.give_back(account, source)
        raise
    if customer is None or not fits:
        metrics.SIGN_INS.labels("failed").inc()
        raise InvalidCredentials
    throttle.clear(account)
    throttle.give_back(source)
    metrics.SIGN_INS.labels("ok").inc()
    return customer
