from chassis.migrations import while_in_use, without_index
from django.db import migrations
from django.db.models import PROTECT, ForeignKey


class Migration(migrations.Migration):
    """Movements of a SKU have ``movement_of_a_sku``. Nobody looks reservations up by SKU, and no level is deleted."""

    atomic = False
    dependencies = [("stock", "0003_nobody_rewrites_the_ledger")]
    operations = while_in_use(
        without_index(
            "movement",
            "level",
            ForeignKey("stock.level", on_delete=PROTECT, db_column="sku", db_index=False, related_name="movements"),
            "stock_movement_sku_9da2760f",
            "stock_movement_sku_9da2760f_like",
        ),
        without_index(
            "reservationline",
            "level",
            ForeignKey("stock.level", on_delete=PROTECT, db_column="sku", db_index=False),
            "stock_reservationline_sku_045fdb62",
            "stock_reservationline_sku_045fdb62_like",
        ),
    )
