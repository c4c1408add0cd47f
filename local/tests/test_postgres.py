import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
import pytest

from local import postgres
from local.secrets import DATABASES
from local.shop import Shop

Connect = Callable[..., Any]


@contextmanager
def connected(shop: Shop, role: str, database: str) -> Iterator[Any]:
    files = {"auditor": "auditor_password", "postgres": "superuser_password"}
    own = f"{role.removesuffix('_owner')}/{'owner_' if role.endswith('_owner') else ''}password"
    password = (shop.state.secrets / files.get(role, own)).read_text()
    connection = psycopg2.connect(
        host="127.0.0.1", port=shop.ports["POSTGRES_PORT"], user=role, password=password, dbname=database
    )
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


@pytest.fixture
def goods(server: Shop) -> Iterator[Shop]:
    """A table that a migration made."""
    with connected(server, "stock_owner", "stock") as cursor:
        cursor.execute("CREATE TABLE goods (id serial PRIMARY KEY, name text)")
    yield server
    with connected(server, "stock_owner", "stock") as cursor:
        cursor.execute("DROP TABLE goods")


@pytest.mark.parametrize("role", ["stock", "stock_owner"])
@pytest.mark.parametrize("database", [name for name in (*DATABASES, "postgres", "template1") if name != "stock"])
def test_a_role_reaches_its_own_database_and_no_other(server: Shop, role: str, database: str) -> None:
    with (
        pytest.raises(psycopg2.OperationalError, match=f'permission denied for database "{database}"'),
        connected(server, role, database),
    ):
        pass


@pytest.mark.parametrize("database", DATABASES)
def test_application_and_auditor_reach_every_database_that_is_theirs(server: Shop, database: str) -> None:
    for role in (database, f"{database}_owner", "auditor"):
        with connected(server, role, database) as cursor:
            cursor.execute("SELECT current_database()")
            assert cursor.fetchone() == (database,)


def test_the_application_reads_and_writes_what_the_owner_made(goods: Shop) -> None:
    with connected(goods, "stock", "stock") as cursor:
        cursor.execute("INSERT INTO goods (name) VALUES ('Bananas') RETURNING id")
        cursor.execute("UPDATE goods SET name = 'Milk'")
        cursor.execute("SELECT name FROM goods")
        assert cursor.fetchall() == [("Milk",)]
        cursor.execute("DELETE FROM goods")


@pytest.mark.parametrize("statement", ["CREATE TABLE mine (id int)", "TRUNCATE goods", "ALTER TABLE goods ADD x int"])
def test_the_application_cannot_change_the_schema(goods: Shop, statement: str) -> None:
    with connected(goods, "stock", "stock") as cursor, pytest.raises(psycopg2.errors.InsufficientPrivilege):
        cursor.execute(statement)


def test_the_auditor_reads_and_cannot_write(goods: Shop) -> None:
    with connected(goods, "stock", "stock") as cursor:
        cursor.execute("INSERT INTO goods (name) VALUES ('Bananas')")
    with connected(goods, "auditor", "stock") as cursor:
        cursor.execute("SELECT name FROM goods")
        assert cursor.fetchall() == [("Bananas",)]
        with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
            cursor.execute("DELETE FROM goods")
        cursor.execute("SET default_transaction_read_only = off")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("DELETE FROM goods")
        cursor.execute("SELECT count(*) FROM goods")
        assert cursor.fetchone() == (1,)


def test_the_test_payment_provider_makes_its_own_table(server: Shop) -> None:
    with connected(server, "testpay", "testpay") as cursor:
        cursor.execute("CREATE TABLE charge (id int)")
    with connected(server, "auditor", "testpay") as cursor:
        cursor.execute("SELECT * FROM charge")


def test_the_search_of_products_has_its_extensions(server: Shop) -> None:
    with connected(server, "products", "products") as cursor:
        cursor.execute("SELECT similarity('bananna', 'banana') > 0.5, unaccent('crème')")
        assert cursor.fetchone() == (True, "creme")


def test_provisioning_again_changes_nothing_and_a_new_password_counts(goods: Shop) -> None:
    with connected(goods, "stock", "stock") as cursor:
        cursor.execute("INSERT INTO goods (name) VALUES ('Bananas')")
    path = goods.state.secrets / "stock" / "password"
    old = path.read_text()
    try:
        path.write_text("a new one")
        postgres.provision(goods.state, goods.ports["POSTGRES_PORT"])
        with connected(goods, "stock", "stock") as cursor:
            cursor.execute("SELECT name FROM goods")
            assert cursor.fetchall() == [("Bananas",)]
    finally:
        path.write_text(old)
        postgres.provision(goods.state, goods.ports["POSTGRES_PORT"])


def test_nobody_gets_in_without_a_password(server: Shop) -> None:
    with pytest.raises(psycopg2.OperationalError, match="no password supplied"):
        psycopg2.connect(host="127.0.0.1", port=server.ports["POSTGRES_PORT"], user="postgres", dbname="postgres")


def test_an_order_that_was_confirmed_is_on_disk(server: Shop) -> None:
    with connected(server, "orders", "orders") as cursor:
        for name in ("synchronous_commit", "fsync", "full_page_writes"):
            cursor.execute(f"SHOW {name}")
            assert cursor.fetchone() == ("on",)


def test_no_password_is_in_a_process_list_or_a_log(server: Shop) -> None:
    words = {path.read_text() for path in server.state.secrets.rglob("*password")}
    seen = "".join(path.read_text(errors="replace") for path in server.state.log.iterdir())
    seen += (server.state.supervisor).read_text()
    assert not [word for word in words if re.search(re.escape(word), seen)]


def test_what_tables_hold_is_known_to_the_planner(goods: Shop) -> None:
    with connected(goods, "postgres", "stock") as cursor:
        cursor.execute("INSERT INTO goods (name) SELECT 'x' FROM generate_series(1, 500)")
        cursor.execute("CREATE TABLE empty (id int PRIMARY KEY)")
        known = "SELECT relname, reltuples::int FROM pg_class WHERE relname IN ('goods', 'empty') ORDER BY 1 DESC"
        cursor.execute(known)
        assert cursor.fetchall() == [("goods", -1), ("empty", -1)]
        postgres.analyze(goods.state, goods.ports["POSTGRES_PORT"], "stock")
        cursor.execute(known)
        assert cursor.fetchall() == [("goods", 500), ("empty", -1)]
        cursor.execute("EXPLAIN SELECT FROM empty WHERE id = 1")
        assert "Seq Scan" not in cursor.fetchone()[0]


def test_what_is_known_to_the_planner_is_looked_at_again_when_a_tenth_has_changed(goods: Shop) -> None:
    with connected(goods, "postgres", "stock") as cursor:
        fill = "INSERT INTO goods (name) SELECT 'x' FROM generate_series(1, %s); SELECT pg_stat_force_next_flush()"
        found = []
        for rows in (500, 50, 10):
            cursor.execute(fill, [rows])
            postgres.analyze(goods.state, goods.ports["POSTGRES_PORT"], "stock")
            cursor.execute("SELECT reltuples::int FROM pg_class WHERE relname = 'goods'")
            found.append(cursor.fetchone()[0])
        assert found == [500, 500, 560]
