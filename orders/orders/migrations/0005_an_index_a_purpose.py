from chassis.migrations import while_in_use, without_index
from django.db import migrations
from django.db.models import CASCADE, ForeignKey


class Migration(migrations.Migration):
    """Mails of an order have ``mail_once_per_kind``."""

    atomic = False
    dependencies = [("orders", "0004_given_up_until_it_is_paid")]
    operations = while_in_use(
        without_index(
            "mail",
            "order",
            ForeignKey("orders.order", on_delete=CASCADE, db_index=False),
            "orders_mail_order_id_4e07d00f",
        )
    )
