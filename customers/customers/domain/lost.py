"""Accounts that a restore of this database has lost, while orders and carts still name them."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from customers.models import Customer


def remember(*, ids: Sequence[UUID]) -> list[UUID]:
    """Makes a closed account of each id that is unknown, and says which these are: a row without a person in it, as it
    is left when an account is closed. May be repeated.
    """
    with transaction.atomic():
        known = set(Customer.objects.filter(pk__in=ids).values_list("pk", flat=True))
        lost = [id for id in dict.fromkeys(ids) if id not in known]
        Customer.objects.bulk_create([_closed(id) for id in lost])
    return lost


def _closed(id: UUID) -> Customer:
    account = Customer(id=id, email=f"{id}@closed.invalid", is_active=False, closed=timezone.now())
    account.set_unusable_password()
    return account
