from chassis.migrations import while_in_use, without_pattern_index
from django.db import migrations


class Migration(migrations.Migration):
    """Slugs, SKUs and words are compared byte by byte: their unique index finds beginnings as well."""

    atomic = False
    dependencies = [("products", "0006_ranked")]
    operations = while_in_use(
        *without_pattern_index(
            "products_product_slug_70d3148d_like",
            "products_givenslug_slug_c0ba10a1_like",
            "products_variant_sku_854b0c32_like",
            "products_word_word_097dcdac_like",
        )
    )
