from chassis.migrations import append_only
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_initial")]
    operations = [append_only("orders_orderevent")]
