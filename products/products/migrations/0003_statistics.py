from django.db import migrations

# How common a word or category is decides between its own index and a walk along the order; the default of 100 values
# knows a hundredth of a large catalogue's words.
MORE = "ALTER TABLE products_product " + ", ".join(
    f"ALTER {column} SET STATISTICS 500" for column in ("words", "name_words", "lineage")
)


class Migration(migrations.Migration):
    dependencies = [("products", "0002_tables")]
    operations = [migrations.RunSQL(MORE, MORE.replace("500", "-1"))]
