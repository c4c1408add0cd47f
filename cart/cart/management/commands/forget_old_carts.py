from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from cart.domain.carts import FORGOTTEN_AFTER_DAYS, forget_old


class Command(BaseCommand):
    """Deletes guests' carts that nobody has changed for a long time. To be run daily; may be repeated."""

    help = __doc__
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How long is long."""
        parser.add_argument("--days", type=int, default=FORGOTTEN_AFTER_DAYS, help="untouched for so many days")

    def handle(self, *args: Any, days: int, **options: Any) -> None:
        """In small transactions, so that no shopper waits."""
        count = 0
        while done := forget_old(days=days):
            count += done
        self.stdout.write(f"{count} carts forgotten")
