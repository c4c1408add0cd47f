"""``python -m chassis.prepare`` on a database of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator

import psycopg2
import pytest
from django.contrib.auth.hashers import check_password

from chassis.testing.plugin import _MARK

SERVER = os.environ[_MARK]


@pytest.fixture
def database() -> Iterator[str]:
    admin = psycopg2.connect(f"{SERVER}/postgres")
    admin.autocommit = True
    admin.cursor().execute("CREATE DATABASE prepared")
    yield f"{SERVER}/prepared"
    admin.cursor().execute("DROP DATABASE prepared")
    admin.close()


def prepare(database, **settings):
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": "postgres://nobody@127.0.0.1:9/none",
        "DATABASE_OWNER_URL": database,
        **settings,
    }
    command = [sys.executable, "-m", "chassis.prepare"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def asked(database, query):
    connection = psycopg2.connect(database)
    try:
        cursor = connection.cursor()
        cursor.execute(query)
        return cursor.fetchall()
    finally:
        connection.close()


def asked_to_write(database, statement):
    connection = psycopg2.connect(database)
    try:
        connection.cursor().execute(statement)
        connection.commit()
    finally:
        connection.close()


def test_it_migrates_makes_the_owner_and_may_be_repeated(database):
    staff = "SELECT username, email, is_staff, is_superuser, is_active, password FROM auth_user"
    first = prepare(database, STAFF_EMAIL=" Owner@Shop.test ", STAFF_PASSWORD="first password")
    assert (first.returncode, first.stdout, first.stderr) == (0, "", "")
    (*account, password) = asked(database, staff)[0]
    assert account == ["owner@shop.test", "owner@shop.test", True, True, True]
    assert check_password("first password", password)
    again = prepare(database, STAFF_EMAIL="owner@shop.test", STAFF_PASSWORD="first password")
    assert (again.returncode, asked(database, staff)[0][-1]) == (0, password)
    anew = prepare(database, STAFF_EMAIL="owner@shop.test", STAFF_PASSWORD="second password")
    assert anew.returncode == 0
    assert len(asked(database, staff)) == 1
    assert check_password("second password", asked(database, staff)[0][-1])


def test_without_an_account_it_only_migrates(database):
    assert prepare(database).returncode == 0
    assert asked(database, "SELECT count(*) FROM auth_user") == [(0,)]
    assert asked(database, "SELECT count(*) FROM idempotency_idempotencyrecord") == [(0,)]


def test_roles_are_groups_with_what_the_service_gives_them_and_no_more(database):
    granted = """SELECT g.name, c.app_label || '.' || p.codename FROM auth_group g
        LEFT JOIN auth_group_permissions gp ON gp.group_id = g.id LEFT JOIN auth_permission p ON p.id = gp.permission_id
        LEFT JOIN django_content_type c ON c.id = p.content_type_id WHERE g.name <> 'owner' ORDER BY 1, 2"""
    expected = [
        ("catalogue", None),
        ("orders", None),
        ("support", None),
        ("warehouse", "auth.view_user"),
        ("warehouse", "idempotency.view_idempotencyrecord"),
    ]
    assert prepare(database).returncode == 0
    assert asked(database, granted) == expected
    owners = """SELECT count(*) FROM auth_group_permissions JOIN auth_group g ON g.id = group_id
        WHERE g.name = 'owner'"""
    assert asked(database, owners) == asked(database, "SELECT count(*) FROM auth_permission")
    more = """INSERT INTO auth_group_permissions (group_id, permission_id)
        SELECT g.id, p.id FROM auth_group g, auth_permission p
        WHERE g.name = 'support' AND p.codename = 'delete_user'"""
    asked_to_write(database, more)
    assert prepare(database).returncode == 0
    assert asked(database, granted) == expected
