from django.db import migrations, models


class Migration(migrations.Migration):
    """PostgreSQL reads and plans each check anew for every statement: not twice the same."""

    dependencies = [("stock", "0004_an_index_a_purpose")]
    operations = [migrations.AlterField("reservationline", "quantity", models.IntegerField())]
