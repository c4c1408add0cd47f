import pytest
from django.db import DatabaseError, connection, transaction

from chassis.migrations import append_only

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
