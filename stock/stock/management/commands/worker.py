from typing import Any

from chassis.idempotency.keys import forget_old
from chassis.worker import Job, work
from django.core.management.base import BaseCommand

from stock.domain.audit import Audit
from stock.domain.reservations import expire
from stock.metrics import MEASURES


class Command(BaseCommand):
    """Frees what was reserved beyond its time, audits the ledger, forgets old idempotency keys."""

    help = __doc__
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Works until told to stop."""
        work(
            [
                Job("expire_reservations", every=1.0, run=expire),
                Job("audit_ledger", every=5.0, run=Audit().go_on),
                Job("forget_keys", every=60.0, run=forget_old),
            ],
            MEASURES,
        )
