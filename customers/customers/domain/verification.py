"""What the reader of a mail may do with the token in it: verify the address, choose a new password."""

from chassis.errors import DomainError, Invalid
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from customers.domain import accounts, mails, passwords, sessions, throttle
from customers.models import Customer, Mail, MailedToken

Purpose = MailedToken.Purpose


class AddressTaken(DomainError):
    """Somebody else has verified or entered the address in the meantime."""

    code, title = "address_taken", "This e-mail address has an account of its own"


def request_verification(*, id: str) -> None:
    """Sends the mail with the link once more, where an address still waits to be verified."""
    customer = accounts.get(id=id)
    for address, waits in ((customer.email, not customer.email_verified), (customer.pending_email, True)):
        if address and waits:
            mails.write_for_stranger(Mail.Kind.VERIFY_EMAIL, recipient=address, customer=customer)


def verify_email(*, token: str) -> Customer:
    """The address that the token was sent to is its customer's own; one that was waited for takes its place.

    May be repeated: mail programs open links before people do. Raises ``Invalid`` or ``AddressTaken``.
    """
    sent = _find(token, Purpose.VERIFY_EMAIL)
    with transaction.atomic():
        customer = _lock(sent)
        if sent.email == customer.email:
            customer.email_verified = True
        elif sent.email == customer.pending_email:
            mails.write(Mail.Kind.EMAIL_CHANGED, recipient=customer.email)
            customer.email, customer.pending_email, customer.email_verified = sent.email, "", True
        else:
            raise _invalid()
        try:
            customer.save()
        except IntegrityError:
            raise AddressTaken("Sign in to the account with this address, or close it first.") from None
    return customer


def request_reset(*, email: str) -> None:
    """Sends a mail to the owner of the account, if there is one: the worker finds out, the caller never does."""
    mails.write_for_stranger(Mail.Kind.PASSWORD_RESET, recipient=email)


def reset_password(*, token: str, password: str) -> None:
    """Sets a new password, once, and ends all sessions; whoever got the mail owns the address, so it is verified.

    Raises ``Invalid`` for a token that is used, expired or unknown, ``WeakPassword`` (the token stays good), ``Busy``.
    """
    sent = _find(token, Purpose.PASSWORD_RESET)
    passwords.check_rules(password, email=sent.customer.email, name=sent.customer.name)
    encoded = passwords.hashed(password)
    with transaction.atomic():
        customer = _lock(sent)
        if not MailedToken.objects.filter(pk=sent.pk).delete()[0] or sent.email != customer.email:
            raise _invalid()
        customer.mailed_tokens.filter(purpose=Purpose.PASSWORD_RESET).delete()
        customer.take_password(password, encoded)
        customer.email_verified = True
        customer.save()
        mails.write(Mail.Kind.PASSWORD_CHANGED, recipient=customer.email)
        throttle.clear((throttle.ACCOUNT, customer.email))


def _find(token: str, purpose: Purpose) -> MailedToken:
    good = MailedToken.objects.filter(purpose=purpose, expires__gt=Now(), customer__is_active=True)
    found = good.select_related("customer").filter(digest=sessions.digest(token)).first()
    if found is None:
        raise _invalid()
    return found


def _lock(sent: MailedToken) -> Customer:
    customer = Customer.objects.select_for_update(no_key=True).filter(pk=sent.customer_id, is_active=True).first()
    if customer is None:
        raise _invalid()
    return customer


def _invalid() -> Invalid:
    return Invalid("token", "This link was used, has expired or was never valid. Ask for a new one.", "invalid_token")
