from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0003_nobody_rewrites_events"),
    ]

    operations = [
        migrations.AlterField(
            model_name="order",
            name="given_up",
            field=models.BooleanField(
                default=False, help_text="Until something is paid, nobody goes on with it but for its client."
            ),
        ),
    ]
