from chassis.migrations import insert_only
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("stock", "0002_ledger_is_append_only")]
    operations = [insert_only("stock_movement")]
