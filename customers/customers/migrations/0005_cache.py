from django.db import migrations

TABLE = """
    CREATE TABLE customers_cache (
        cache_key varchar(255) PRIMARY KEY, value text NOT NULL, expires timestamptz NOT NULL
    );
    CREATE INDEX customers_cache_expires ON customers_cache (expires);
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0004_second_factor")]
    operations = [migrations.RunSQL(TABLE, "DROP TABLE customers_cache")]
