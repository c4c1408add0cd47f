"""What full text search needs in the database: how words become lexemes, and what of a product is searched."""

from django.contrib.postgres.operations import TrigramExtension, UnaccentExtension
from django.db import migrations

# English stems and no accents, but no stop words: "The Who" is what somebody may look for.
CONFIGURATION = """
    CREATE TEXT SEARCH DICTIONARY goods_stem (TEMPLATE = snowball, LANGUAGE = english);
    CREATE TEXT SEARCH CONFIGURATION goods (COPY = english);
    ALTER TEXT SEARCH CONFIGURATION goods
        ALTER MAPPING FOR hword, hword_part, word, asciiword, asciihword, hword_asciipart WITH unaccent, goods_stem;
"""
PRODUCTS_WORDS = """
    CREATE FUNCTION products_words(name text, brand text, path text[], skus text[]) RETURNS tsvector
    LANGUAGE sql STABLE
    RETURN to_tsvector(
        'goods'::regconfig, concat_ws(' ', name, brand, array_to_string(path, ' '), array_to_string(skus, ' '))
    );
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        TrigramExtension(),
        UnaccentExtension(),
        migrations.RunSQL(
            CONFIGURATION, "DROP TEXT SEARCH CONFIGURATION goods; DROP TEXT SEARCH DICTIONARY goods_stem;"
        ),
        migrations.RunSQL(PRODUCTS_WORDS, "DROP FUNCTION products_words;"),
    ]
