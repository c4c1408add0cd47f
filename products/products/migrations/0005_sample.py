from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models
from django.db.models import Q
from django.db.models.lookups import Exact

from products.models import Lot

IN_SAMPLE = Q(("status", "active"), Exact(Lot("id").bitand(63), 0))


class Migration(migrations.Migration):
    dependencies = [("products", "0004_card")]
    operations = [
        migrations.AddIndex(
            model_name="product",
            index=models.Index(
                Lot("id"), include=["id", "brand", "lineage", "min_price"], condition=IN_SAMPLE, name="product_sample"
            ),
        ),
        migrations.AddIndex(
            model_name="product",
            index=GinIndex(fields=["words"], condition=IN_SAMPLE, name="product_sample_words"),
        ),
        migrations.AddIndex(
            model_name="product",
            index=GinIndex(fields=["lineage"], condition=IN_SAMPLE, name="product_sample_lineage"),
        ),
    ]
