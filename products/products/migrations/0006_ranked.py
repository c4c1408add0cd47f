from django.contrib.postgres.indexes import GinIndex
from django.db import migrations

from products.models import Ranked

# Each word together with the length of the name: n014milk where it stands in the name, w014milk elsewhere; and a search
# for one length in those terms, for words of these kinds. Phrases ("coca-cola") become words that are all there: there
# are no positions here. products_ranked_query is called no more: the next release drops it.
FUNCTIONS = r"""
    CREATE FUNCTION products_ranked(name_words tsvector, words tsvector, name_length int) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN array_to_tsvector(ARRAY(
        SELECT 'n' || lpad(name_length::text, 3, '0') || word FROM unnest(tsvector_to_array(name_words)) word
        UNION ALL
        SELECT 'w' || lpad(name_length::text, 3, '0') || word
        FROM unnest(tsvector_to_array(ts_delete(words, tsvector_to_array(name_words)))) word
    ));
    CREATE FUNCTION products_ranked_query(length int, kinds text, query tsquery) RETURNS tsquery
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN regexp_replace(
        regexp_replace(query::text, '<[-0-9]+>', '&', 'g'),
        '''([^'']+)''(:\*)?',
        '(' || (
            SELECT string_agg(format('''%s%s\1''\2', kind, lpad(length::text, 3, '0')), '|')
            FROM unnest(string_to_array(kinds, NULL)) kind
        ) || ')', 'g'
    )::tsquery;
"""
UNDO = "DROP FUNCTION products_ranked; DROP FUNCTION products_ranked_query;"
# Nobody needs to know how common each of them is.
UNCOUNTED = "ALTER INDEX product_ranked ALTER COLUMN 1 SET STATISTICS 0"


class Migration(migrations.Migration):
    dependencies = [("products", "0005_sample")]
    operations = [
        migrations.RunSQL(FUNCTIONS, UNDO),
        migrations.AddIndex(
            model_name="product",
            index=GinIndex(Ranked("name_words", "words", "name_length"), name="product_ranked"),
        ),
        migrations.RunSQL(UNCOUNTED, migrations.RunSQL.noop),
    ]
