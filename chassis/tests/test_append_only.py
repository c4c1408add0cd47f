import pytest
from django.db import DatabaseError, connection, transaction

from chassis.migrations import append_only, insert_only

pytestmark = pytest.mark.django_db


def test_a_ledger_takes_entries_and_nothing_else():
    operation = append_only("ledger")
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE ledger (quantity int)")
        cursor.execute(str(operation.sql))
        cursor.execute("INSERT INTO ledger VALUES (5)")
        for statement in ("UPDATE ledger SET quantity = 6", "DELETE FROM ledger"):
            with pytest.raises(DatabaseError, match="ledger is append-only"), transaction.atomic():
                cursor.execute(statement)
        cursor.execute("SELECT quantity FROM ledger")
        assert cursor.fetchall() == [(5,)]
        cursor.execute(str(operation.reverse_sql))
        cursor.execute("DELETE FROM ledger")
        assert cursor.rowcount == 1


def test_the_application_only_adds_to_a_ledger():
    refused = ("UPDATE ledger SET quantity = 6", "DELETE FROM ledger", "TRUNCATE ledger", "DROP TABLE ledger")
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE till; CREATE TABLE ledger (quantity int)")
        cursor.execute("GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ledger TO till")
        for _ in range(2):  # it may be repeated
            cursor.execute(str(insert_only("ledger").sql))
        cursor.execute("SET ROLE till; INSERT INTO ledger VALUES (5)")
        for statement in refused:
            with pytest.raises(DatabaseError, match=r"permission denied|must be owner"), transaction.atomic():
                cursor.execute(statement)
        cursor.execute("SELECT quantity FROM ledger")
        assert cursor.fetchall() == [(5,)]
        cursor.execute("RESET ROLE")
