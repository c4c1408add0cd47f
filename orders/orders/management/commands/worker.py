from typing import Any

from chassis.worker import Job, work
from django.core.management.base import BaseCommand

from orders.domain import checkout, completion, mail
from orders.metrics import MEASURES


class Command(BaseCommand):
    """Goes on with orders that nobody is at work on, sends mails, forgets old idempotency keys."""

    help = __doc__
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Works until told to stop."""
        work(
            [
                Job("orders", every=1.0, run=completion.go_on),
                Job("mail", every=1.0, run=mail.send_due),
                Job("forget_keys", every=60.0, run=checkout.forget_keys),
            ],
            MEASURES,
        )
