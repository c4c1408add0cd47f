from django.db import migrations, models


class Migration(migrations.Migration):
    """PostgreSQL reads and plans each check anew for every statement: not twice the same, and none of mere counters."""

    dependencies = [("orders", "0006_fewer_indexes_of_guests")]
    operations = [
        migrations.AlterField("order", "attempts", models.IntegerField(default=0)),
        migrations.AlterField("mail", "attempts", models.IntegerField(db_default=0)),
        migrations.AlterField("orderline", "quantity", models.IntegerField()),
    ]
