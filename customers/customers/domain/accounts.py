"""Accounts: sign up, look, change, close. What anybody can ask about an address answers alike, known or not."""

import uuid

from chassis.errors import DomainError, Invalid
from django.contrib.admin.models import LogEntry
from django.db import transaction
from django.db.models.functions import Now

from customers import metrics
from customers.domain import erasure, mails, passwords, throttle
from customers.models import Customer, Mail


class AccountClosed(DomainError):
    """The token is good, but its account was closed since."""

    status, code, title = 401, "invalid_token", "This account is closed"


class StaffAccount(DomainError):
    """The shop's own people do not vanish by a call: an owner takes their rights in the admin first."""

    code, title = "staff_account", "This is a staff account"


def sign_up(*, email: str, password: str, name: str) -> None:
    """A new account, or a mail to the owner of a known address; nothing and no delay tells the caller which.

    Raises ``WeakPassword`` or ``Busy``.
    """
    passwords.check_rules(password, email=email, name=name)
    encoded = passwords.hashed(password)
    candidate = Customer(email=email, name=name, password=encoded)
    with transaction.atomic():
        Customer.objects.bulk_create([candidate], ignore_conflicts=True)
        owner = Customer.objects.get(email=email)
        new = owner.pk == candidate.pk
        kind = Mail.Kind.WELCOME if new else Mail.Kind.KNOWN_ADDRESS
        mails.write_for_stranger(kind, recipient=email, customer=owner)
    metrics.SIGN_UPS.labels("new" if new else "known").inc()


def get(*, id: str, lock: bool = False) -> Customer:
    """The account of a token's subject; with ``lock`` nobody else writes it in this transaction's time.

    Raises ``AccountClosed``.
    """
    try:
        key = uuid.UUID(id)
    except ValueError:
        raise AccountClosed from None
    rows = Customer.objects.filter(pk=key, is_active=True)
    customer = (rows.select_for_update(no_key=True) if lock else rows).first()
    if customer is None:
        raise AccountClosed("Sign in again: this account was closed.")
    return customer


def change(
    *,
    id: str,
    name: str | None = None,
    email: str | None = None,
    password: str | None = None,
    current_password: str | None = None,
) -> Customer:
    """Changes what is given. A new password ends all sessions; a new address counts when it has been verified.

    Address and password need the current password. Raises ``Invalid`` for a wrong one, ``TooManyAttempts`` for
    guessing it, ``WeakPassword``, ``Busy``, ``AccountClosed``.
    """
    seen, encoded = get(id=id), ""
    if email is not None or password is not None:
        _prove(seen, current_password or "")
    if password is not None:
        passwords.check_rules(password, email=email or seen.email, name=seen.name if name is None else name)
        encoded = passwords.hashed(password)
    with transaction.atomic():
        customer = get(id=id, lock=True)
        if current_password is not None and customer.password != seen.password:
            raise _wrong_password()
        if name is not None:
            customer.name = name
        if email is not None:
            _ask_for(customer, email)
        if password is not None:
            customer.take_password(password, encoded)
            mails.write(Mail.Kind.PASSWORD_CHANGED, recipient=customer.email)
        customer.save()
    return customer


def close(*, id: str) -> None:
    """Closes the account: the person leaves the row, sessions and addresses go, nobody can sign in to it again; and
    asks for the erasure of what other services hold. May be repeated.

    The id stays, because orders refer to it. Raises ``StaffAccount`` or ``AccountClosed`` (switched off, not closed).
    """
    with transaction.atomic():
        if Customer.objects.filter(pk=id, closed__isnull=False).exists():
            return
        customer = get(id=id, lock=True)
        if customer.is_staff or customer.is_superuser:
            raise StaffAccount("Staff accounts are closed in the admin, after their rights are taken away.")
        former = customer.email
        for belongings in (customer.sessions, customer.addresses, customer.mailed_tokens, customer.mails):
            belongings.all().delete()
        customer.email, customer.name, customer.pending_email = f"{customer.pk}@closed.invalid", "", ""
        customer.email_verified, customer.is_active, customer.last_login = False, False, None
        customer.closed = Now()
        customer.set_unusable_password()
        customer.groups.clear()
        customer.save()
        Mail.objects.filter(recipient=former).delete()
        LogEntry.objects.filter(object_id=str(customer.pk)).update(object_repr="closed account")
        mails.write(Mail.Kind.ACCOUNT_CLOSED, recipient=former, customer=customer)
        erasure.request(customer=customer.pk)


def _prove(customer: Customer, password: str) -> None:
    key = (throttle.ACCOUNT, customer.email)
    throttle.take(key)
    try:
        fits = passwords.fits(password, customer.password)
    except passwords.Busy:
        throttle.give_back(key)
        raise
    if not fits:
        raise _wrong_password()
    throttle.give_back(key)


def _wrong_password() -> Invalid:
    return Invalid("current_password", "This is not your current password.", "wrong_password")


def _ask_for(customer: Customer, email: str) -> None:
    """Notes the wish for another address. Its owner is asked; where that is another customer, only told."""
    if email == customer.email:
        customer.pending_email = ""
        return
    customer.pending_email = email
    taken = Customer.objects.filter(email=email).exists()
    kind = Mail.Kind.KNOWN_ADDRESS if taken else Mail.Kind.VERIFY_EMAIL
    mails.write_for_stranger(kind, recipient=email, customer=customer)
