from chassis.migrations import while_in_use, without_pattern_index
from django.db import migrations


class Migration(migrations.Migration):
    """SKUs are compared byte by byte: the primary key finds beginnings as well."""

    atomic = False
    dependencies = [("stock", "0005_checked_once")]
    operations = while_in_use(*without_pattern_index("stock_level_sku_8f4c626e_like"))
