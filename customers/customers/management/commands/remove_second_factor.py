from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from customers.domain import second_factor
from customers.models import Customer


class Command(BaseCommand):
    """Takes the second factor from an account whose owner has lost both the app and the recovery codes."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose."""
        parser.add_argument("email")

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        """Says what it did."""
        customer = Customer.objects.filter(email=email.strip().lower()).first()
        if customer is None or not second_factor.remove(customer=customer):
            raise CommandError(f"{email} has no account with a second factor")
        self.stdout.write(f"{email} signs in with the password alone now")
