from chassis.migrations import insert_only
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "0002_events_are_append_only")]
    operations = [insert_only("orders_orderevent")]
