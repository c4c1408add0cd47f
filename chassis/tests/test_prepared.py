"""Statements that a connection parses and plans once."""

from uuid import uuid4

import pytest
from django.db import connection

from chassis import prepared

WHAT = """SELECT %(id)s, %(word)s || '%%', %(count)s + 1, %(words)s, %(counts)s::int[], %(nobody)s::uuid"""
KNOWN = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s"


def known(text):
    with connection.cursor() as cursor:
        cursor.execute(KNOWN, [f"%{text}%"])
        return cursor.fetchone()[0]


@pytest.mark.django_db(transaction=True)
def test_values_of_all_kinds_come_back_and_the_statement_is_prepared_once():
    values = {"id": uuid4(), "word": "it's", "count": 1, "words": ["a", "b"], "counts": [1, 2], "nobody": None}
    for count in (1, 2**40):
        with connection.cursor() as cursor:
            prepared.execute(cursor, WHAT, values | {"count": count})
            row = cursor.fetchone()
        assert row == (values["id"], "it's%", count + 1, ["a", "b"], [1, 2], None)
    assert known("|| '%'") == 1


@pytest.mark.django_db(transaction=True)
def test_two_statements_are_one_transaction_and_answer_what_the_second_does():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE ledger (word text)")
        both = "INSERT INTO ledger VALUES (%(word)s); SELECT 1 / %(by)s, count(*) FROM ledger"
        prepared.execute(cursor, both, {"word": "a", "by": 1})
        assert cursor.fetchone() == (1, 1)
        with pytest.raises(Exception, match="division by zero"):
            prepared.execute(cursor, both, {"word": "b", "by": 0})
        prepared.execute(cursor, both, {"word": "c", "by": 1})
        assert cursor.fetchone() == (1, 2), "the first of the two that failed left nothing"


@pytest.mark.django_db(transaction=True)
def test_a_new_connection_knows_nothing_and_learns_it():
    values = {"word": "again"}
    for _ in range(2):
        with connection.cursor() as cursor:
            prepared.execute(cursor, "SELECT 'new' || %(word)s", values)
            assert cursor.fetchone() == ("newagain",)
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_a_table_that_gained_a_column_is_no_trouble():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE grows (id int); INSERT INTO grows VALUES (1)")
        for column in ("a", "b"):
            prepared.execute(cursor, "SELECT id FROM grows WHERE id = %(id)s", {"id": 1})
            assert cursor.fetchone() == (1,)
            cursor.execute(f"ALTER TABLE grows ADD {column} int")
