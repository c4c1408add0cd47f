"""A customer's addresses: at most 50, one of them the default as long as there is any."""

from typing import TypedDict, Unpack
from uuid import UUID

from chassis.errors import DomainError, NotFound
from django.db import transaction
from django.db.models import QuerySet

from customers.domain import accounts
from customers.models import Address

MOST = 50


class UnknownAddress(NotFound):
    """There is no such address, or it is somebody else's."""

    code, title = "address_not_found", "There is no such address"


class TooManyAddresses(DomainError):
    """The customer has 50 addresses."""

    code, title = "too_many_addresses", "There is no room for another address"


class Fields(TypedDict, total=False):
    """What an address is made of; ``country`` is ISO 3166-1 alpha-2."""

    name: str
    line1: str
    line2: str
    city: str
    postal_code: str
    country: str
    default: bool


def of(*, customer: str) -> QuerySet[Address]:
    """The customer's addresses. Raises ``AccountClosed``."""
    return Address.objects.filter(customer=accounts.get(id=customer))


def get(*, customer: str, id: UUID) -> Address:
    """One of the customer's addresses. Raises ``UnknownAddress`` or ``AccountClosed``."""
    return _found(of(customer=customer), id)


def add(*, customer: str, **fields: Unpack[Fields]) -> Address:
    """A new address; the first one is the default whatever it says. Raises ``TooManyAddresses``, ``AccountClosed``."""
    with transaction.atomic():
        owner = accounts.get(id=customer, lock=True)  # the customer's row guards the list
        count = owner.addresses.count()
        if count >= MOST:
            raise TooManyAddresses(f"At most {MOST} addresses are kept. Delete one first.")
        fields["default"] = count == 0 or fields.get("default", False)
        if fields["default"]:
            owner.addresses.filter(default=True).update(default=False)
        return Address.objects.create(customer=owner, **fields)


def change(*, customer: str, id: UUID, **fields: Unpack[Fields]) -> Address:
    """Changes what is given. One address stays the default: name another to move it, saying false changes nothing.

    Raises ``UnknownAddress`` or ``AccountClosed``.
    """
    with transaction.atomic():
        owner = accounts.get(id=customer, lock=True)
        address = _found(owner.addresses.all(), id)
        if fields.pop("default", False) and not address.default:
            owner.addresses.filter(default=True).update(default=False)
            address.default = True
        for field, value in fields.items():
            setattr(address, field, value)
        address.save()
        return address


def remove(*, customer: str, id: UUID) -> None:
    """Deletes an address; the newest of the others takes over as the default.

    Raises ``UnknownAddress`` or ``AccountClosed``.
    """
    with transaction.atomic():
        owner = accounts.get(id=customer, lock=True)
        address = _found(owner.addresses.all(), id)
        address.delete()
        heir = owner.addresses.order_by("-created", "-id").first() if address.default else None
        if heir:
            heir.default = True
            heir.save(update_fields=["default"])


def _found(rows: QuerySet[Address], id: UUID) -> Address:
    address = rows.filter(pk=id).first()
    if address is None:
        raise UnknownAddress(f"There is no address {id}.")
    return address
