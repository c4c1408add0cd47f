from chassis.migrations import without_index
from django.db import migrations
from django.db.models import PROTECT, ForeignKey


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("stock", "0003_nobody_rewrites_the_ledger")]
    operations = [
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
    ]
