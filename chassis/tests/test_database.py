"""Kept connections: no round trip for their health check, and never a dead one. And the counting."""

import pytest
from django.core.signals import request_started
from django.db import DataError, connection, connections
from django.db.backends.postgresql.base import DatabaseWrapper
from prometheus_client import REGISTRY

DEFAULT = {"alias": "default", "vendor": "postgresql"}


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


def counted(name, **labels):
    return REGISTRY.get_sample_value(f"django_db_{name}", DEFAULT | labels) or 0


@pytest.mark.django_db(transaction=True)
def test_each_statement_is_counted_with_its_time_and_what_went_wrong():
    connection.ensure_connection()
    names = ("query_duration_seconds_count", "query_duration_seconds_sum")
    statements, seconds = (counted(name) for name in names)
    errors = counted("errors_total", type="DivisionByZero")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [0.05])
        cursor.executemany("SELECT %s", [[1], [2]])
        with pytest.raises(DataError):
            cursor.execute("SELECT 1 / 0")
    now = [counted(name) for name in names]
    assert now[0] - statements == 3
    assert 0.05 <= now[1] - seconds < 5
    assert counted("errors_total", type="DivisionByZero") - errors == 1


@pytest.mark.django_db(transaction=True)
def test_new_connections_are_counted():
    before = counted("new_connections_total")
    other = connections.create_connection("default")
    other.ensure_connection()
    other.close()
    assert counted("new_connections_total") - before == 1
