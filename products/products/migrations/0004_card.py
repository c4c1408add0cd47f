from django.db import migrations, models

# A row of a list is read from the product's row alone: it stays there while there is room.
IN_THE_ROW = "ALTER TABLE products_product ALTER card SET STORAGE MAIN"

# Whoever changes what a card shows and does not write the card, as the release before this one does, empties it: an
# empty one is made when it is read, and written by the next derived.refresh or `manage.py refresh_products`.
TRUE_OR_EMPTY = """
    CREATE FUNCTION products_card_is_out_of_date() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.card := NULL; RETURN NEW; END $$;
    CREATE TRIGGER product_card_true_or_empty BEFORE UPDATE ON products_product FOR EACH ROW WHEN (
        NEW.card = OLD.card
        AND (NEW.updated, NEW.name, NEW.brand, NEW.category_id, NEW.min_price, NEW.words)
            IS DISTINCT FROM (OLD.updated, OLD.name, OLD.brand, OLD.category_id, OLD.min_price, OLD.words)
    ) EXECUTE FUNCTION products_card_is_out_of_date();
"""
UNDO = """
    DROP TRIGGER product_card_true_or_empty ON products_product; DROP FUNCTION products_card_is_out_of_date();
"""


class Migration(migrations.Migration):
    dependencies = [("products", "0003_statistics")]
    operations = [
        migrations.AddField(
            model_name="product",
            name="card",
            field=models.TextField(editable=False, help_text="JSON as lists show it; null: to be made.", null=True),
        ),
        migrations.RunSQL(IN_THE_ROW, migrations.RunSQL.noop),
        migrations.RunSQL(TRUE_OR_EMPTY, UNDO),
    ]
