from chassis.migrations import while_in_use
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations
from django.db.models import Index, Q


class Migration(migrations.Migration):
    """An order is written four times on its way, into every index: a guest's is none of a customer's, and the unique
    indexes of carts find a cart's orders.
    """

    atomic = False
    dependencies = [("orders", "0005_an_index_a_purpose")]
    operations = while_in_use(
        AddIndexConcurrently(
            "order",
            Index(
                fields=["customer", "-created", "-id"],
                condition=Q(customer__isnull=False),
                name="order_by_customer",
            ),
        ),
        RemoveIndexConcurrently("order", "order_of_customer"),
        RemoveIndexConcurrently("order", "order_of_cart"),
    )
