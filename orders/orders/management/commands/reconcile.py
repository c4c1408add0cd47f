import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from orders.domain.reconcile import Outcome, reconcile

_AT_ONCE = 6


class Command(BaseCommand):
    """Makes the orders whose ids come on standard input true again, one a line; says of each what was done.

    `make reconcile` calls it with what `make audit` found. Ends with 1 where something is left to do.
    """

    help = __doc__
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Several orders at a time: most of it is waiting for other services."""
        left = 0
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for id, outcome in pool.map(_reconciled, _ids()):
                self.stdout.write(f"{id} {outcome.done}")
                left += not outcome.repaired
        if left:
            raise CommandError(f"{left} orders are not repaired")


def _ids() -> Iterator[UUID]:
    for line in sys.stdin:
        try:
            yield UUID(line.strip())
        except ValueError:
            raise CommandError(f"{line.strip()!r} is not an order's id") from None


def _reconciled(id: UUID) -> tuple[UUID, Outcome]:
    try:
        return id, reconcile(id=id)
    finally:
        connection.close()
