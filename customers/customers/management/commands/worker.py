from typing import Any

from chassis.worker import Job, work
from django.core.management.base import BaseCommand

from customers.domain import erasure, keys, mails, sessions, staff_sign_in, throttle
from customers.metrics import MEASURES


class Command(BaseCommand):
    """Sends the mails of the outbox, has erased what other services hold of closed accounts, forgets what is over."""

    help = __doc__
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Works until told to stop."""
        work(
            [
                Job("send_mails", every=1.0, run=mails.deliver),
                Job("erase", every=1.0, run=erasure.carry_out),
                Job("forget_sessions", every=60.0, run=sessions.forget_old),
                Job("forget_throttles", every=60.0, run=throttle.forget_old),
                Job("forget_mails", every=60.0, run=mails.forget_old),
                Job("forget_sign_ins", every=600.0, run=staff_sign_in.forget_old),
                Job("forget_keys", every=60.0, run=keys.forget_old),
            ],
            MEASURES,
        )
