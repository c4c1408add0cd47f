import sys
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from cart.domain.checkouts import forget


class Command(BaseCommand):
    """Forgets that orders took their lines: those whose ids come on standard input, lost or undone by a restore.

    `make reconcile` calls it. The lines do not come back: their buyers may have filled the cart anew.
    """

    help = __doc__
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """One line for each that was remembered."""
        try:
            ids = [UUID(line.strip()) for line in sys.stdin]
        except ValueError as error:
            raise CommandError(f"not an order's id: {error}") from None
        for order in forget(orders=ids):
            self.stdout.write(f"{order} forgotten: it did not come about")
