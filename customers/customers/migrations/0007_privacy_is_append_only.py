from chassis.migrations import append_only
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("customers", "0006_erasure")]
    operations = [append_only("customers_privacyevent")]
