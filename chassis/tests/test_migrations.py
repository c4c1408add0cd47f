import pytest
from django.db import connection, transaction
from django.db.migrations import RunSQL
from django.db.migrations.state import ModelState, ProjectState
from django.db.models import CASCADE, BigAutoField, CharField, ForeignKey, Index

from chassis.migrations import while_in_use, without_index, without_pattern_index

INDEXES = "SELECT indexname FROM pg_indexes WHERE tablename = 'shop_page' ORDER BY 1"


@pytest.fixture
def book_and_page():
    """Two tables, one referring to the other by an indexed column, as migrations made them."""
    state, id = ProjectState(), ("id", BigAutoField(primary_key=True))
    state.add_model(ModelState("shop", "Book", [id]))
    of = ("book", ForeignKey("shop.Book", on_delete=CASCADE))
    state.add_model(ModelState("shop", "Page", [id, of], {"indexes": [Index(fields=["book", "-id"], name="in_book")]}))
    models = [state.apps.get_model("shop", name) for name in ("Book", "Page")]
    with connection.schema_editor() as editor:
        for model in models:
            editor.create_model(model)
    yield state
    with connection.schema_editor() as editor:
        for model in reversed(models):
            editor.delete_model(model)


@pytest.mark.django_db(transaction=True)
def test_an_index_goes_and_the_reference_stays(book_and_page):
    with connection.cursor() as cursor:
        cursor.execute(INDEXES)
        made = [name for (name,) in cursor.fetchall()]
        (own,) = set(made) - {"in_book", "shop_page_pkey"}
        operation = without_index("page", "book", ForeignKey("shop.Book", on_delete=CASCADE, db_index=False), own)
        after = book_and_page.clone()
        operation.state_forwards("shop", after)
        for _ in range(2):  # it may be repeated
            with connection.schema_editor(atomic=False) as editor:
                operation.database_forwards("shop", editor, book_and_page, after)
        cursor.execute(INDEXES)
        assert cursor.fetchall() == [("in_book",), ("shop_page_pkey",)]
        cursor.execute("SELECT contype FROM pg_constraint WHERE conrelid = 'shop_page'::regclass AND contype = 'f'")
        assert cursor.fetchall() == [("f",)]
    assert after.apps.get_model("shop", "Page")._meta.get_field("book").db_index is False


@pytest.mark.django_db(transaction=True)
def test_what_is_compared_by_bytes_needs_no_second_index():
    state, indexes = ProjectState(), INDEXES.replace("shop_page", "shop_word")
    text = ("word", CharField(max_length=9, unique=True, db_collation="C"))
    state.add_model(ModelState("shop", "Word", [("id", BigAutoField(primary_key=True)), text]))
    Word = state.apps.get_model("shop", "Word")
    with connection.cursor() as cursor:
        with connection.schema_editor() as editor:
            editor.create_model(Word)
        try:
            cursor.execute(indexes)
            (second,) = (name for (name,) in cursor.fetchall() if name.endswith("_like"))
            for operation in [*without_pattern_index(second), *without_pattern_index(second)]:  # it may be repeated
                with connection.schema_editor(atomic=False) as editor:
                    operation.database_forwards("shop", editor, state, state)
            cursor.execute(indexes)
            assert cursor.fetchall() == [("shop_word_pkey",), ("shop_word_word_key",)]
            with transaction.atomic():
                cursor.execute("SET LOCAL enable_seqscan = off")
                cursor.execute("EXPLAIN SELECT FROM shop_word WHERE word LIKE %s", ["ban%"])
                plan = "\n".join(line for (line,) in cursor.fetchall())
            assert "shop_word_word_key" in plan
            assert ">= 'ban'" in plan
        finally:
            with connection.schema_editor() as editor:
                editor.delete_model(Word)


@pytest.mark.django_db
def test_what_holds_up_nobody_waits_as_long_as_it_has_to():
    state, seen = ProjectState(), "CREATE TABLE seen AS SELECT current_setting('lock_timeout') AS limit_then"
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '5s'")
        for operation in while_in_use(RunSQL(seen)):
            with connection.schema_editor(atomic=False) as editor:
                operation.database_forwards("shop", editor, state, state)
        cursor.execute("SELECT limit_then, current_setting('lock_timeout') FROM seen")
        assert cursor.fetchall() == [("0", "5s")]
        cursor.execute("RESET lock_timeout")
