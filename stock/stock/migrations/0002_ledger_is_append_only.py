from chassis.migrations import append_only
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("stock", "0001_initial")]
    operations = [append_only("stock_movement")]
