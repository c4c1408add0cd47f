"""The health check of kept connections: no round trip while all is well, and never a dead connection."""

import pytest
from django.core.signals import request_started
from django.db import connection, connections
from django.db.backends.postgresql.base import DatabaseWrapper


@pytest.mark.django_db(transaction=True)
def test_a_live_connection_is_used_without_asking(monkeypatch):
    def asked(self):
        pytest.fail("it was asked")

    connection.ensure_connection()
    monkeypatch.setattr(DatabaseWrapper, "is_usable", asked)
    assert connection.is_usable()


@pytest.mark.django_db(transaction=True)
def test_one_that_the_server_has_ended_is_replaced_before_the_next_request():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        first = cursor.fetchone()[0]
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [first])
    other.close()
    assert not connection.is_usable()
    request_started.send(sender=None)  # as at the beginning of a request
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        assert cursor.fetchone()[0] != first
