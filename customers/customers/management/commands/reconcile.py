import sys
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from customers.domain.lost import remember


class Command(BaseCommand):
    """Makes closed accounts for ids on standard input: accounts that a restore has lost, but that orders or carts name.

    `make reconcile` calls it. Who they were is lost; they sign up anew, and find their orders by number and e-mail.
    """

    help = __doc__
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """One line for each that was unknown."""
        try:
            ids = [UUID(line.strip()) for line in sys.stdin]
        except ValueError as error:
            raise CommandError(f"not an account's id: {error}") from None
        for id in remember(ids=ids):
            self.stdout.write(f"{id} is a closed account now: who it was is lost")
