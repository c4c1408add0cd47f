from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from customers.domain import keys


class Command(BaseCommand):
    """Makes a new signing key. It is published at once and signs in 15 minutes; no good token is ever refused."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """``--compromised`` for when a private key is known to somebody else."""
        parser.add_argument(
            "--compromised", action="store_true", help="sign with it at once and withdraw all other keys"
        )

    def handle(self, *args: Any, compromised: bool, **options: Any) -> None:
        """Rotates, and says from when on the new key signs."""
        key = keys.rotate(compromised=compromised)
        key.refresh_from_db()
        self.stdout.write(f"{key.kid} is published and signs from {key.signs_from:%Y-%m-%d %H:%M:%S} UTC on")
