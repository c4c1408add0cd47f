from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from products.domain import derived
from products.models import Product


class Command(BaseCommand):
    """Writes the derived columns and the words of all products anew: after rows were loaded or changed by plain SQL."""

    help = __doc__
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Batch by batch; may be stopped and repeated."""
        derived.refresh_tree()
        ids = Product.objects.order_by("pk").values_list("pk", flat=True)
        with tqdm(total=ids.count(), disable=None) as bar:
            last = 0
            while batch := list(ids.filter(pk__gt=last)[: derived.BATCH]):
                derived.refresh(batch)
                last = batch[-1]
                bar.update(len(batch))
