from django.db import migrations, models


class Migration(migrations.Migration):
    """PostgreSQL reads and plans each check anew for every statement: not twice the same."""

    dependencies = [("cart", "0002_guests_by_age")]
    operations = [migrations.AlterField("line", "quantity", models.SmallIntegerField())]
