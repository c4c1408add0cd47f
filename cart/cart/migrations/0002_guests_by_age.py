from chassis.migrations import while_in_use
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations
from django.db.models import Index, Q


class Migration(migrations.Migration):
    """By creation: an index of what each change writes keeps PostgreSQL from changing the row alone (HOT)."""

    atomic = False
    dependencies = [("cart", "0001_initial")]
    operations = while_in_use(
        RemoveIndexConcurrently("cart", "cart_guests_by_age"),
        AddIndexConcurrently("cart", Index(fields=["created"], condition=Q(customer=None), name="cart_guests_by_age")),
    )
