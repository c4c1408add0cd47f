"""A clean shop's databases, and copies of them to spoil."""

from collections.abc import Callable

import psycopg2
import pytest
from chassis.testing import postgres

from loadtest.tests.auditor import servers
from loadtest.tests.auditor.population import populate

PRODUCT = """
    INSERT INTO products_product (slug, name, brand, description, attributes, images, min_price, lineage)
    VALUES ('tea', 'Tea', '', '', '{}', '{}', 250, '{}');
    INSERT INTO products_variant (product_id, sku, options, price, currency) SELECT id, 'TEA', '{}', 250, 'USD'
    FROM products_product;
    INSERT INTO products_variant (product_id, sku, options, price, currency) SELECT id, 'TEA-L', '{}', 450, 'USD'
    FROM products_product
"""
# What would stand in the way of whoever spoils a copy: constraints, unique indexes, triggers.
LOOSEN = """
    DO $$ DECLARE it record; BEGIN
        FOR it IN SELECT conrelid::regclass AS t, conname FROM pg_constraint
            WHERE contype IN ('c', 'u') AND connamespace = 'public'::regnamespace LOOP
            EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I CASCADE', it.t, it.conname);
        END LOOP;
        FOR it IN SELECT indexrelid::regclass AS i FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
            WHERE indisunique AND NOT indisprimary AND relnamespace = 'public'::regnamespace LOOP
            EXECUTE format('DROP INDEX %s', it.i);
        END LOOP;
    END $$;
    SET session_replication_role = replica;
"""


@pytest.fixture(scope="session")
def server() -> str:
    """A PostgreSQL of this session's own; its URL without a database."""
    return postgres.start()


@pytest.fixture(scope="session")
def clean(server: str) -> dict[str, str]:
    """The databases of a shop in which 300 orders were placed, as the services' own migrations make them."""
    urls = servers.migrated(server)
    populate(urls, orders=300)
    servers.execute(urls["products"], PRODUCT)
    return urls


@pytest.fixture
def spoil(server: str, clean: dict[str, str]) -> Callable[..., dict[str, str]]:
    """``spoil(stock="UPDATE …")``: the URLs of the shop, with a copy instead of each database that is named."""

    def copy(values: dict[str, str] | None = None, **statements: str) -> dict[str, str]:
        urls = dict(clean)
        for name, statement in statements.items():
            urls[name] = servers.copied(server, name)
            with psycopg2.connect(urls[name]) as connection, connection.cursor() as cursor:
                cursor.execute(LOOSEN)
                cursor.execute(statement, values or {})
                assert cursor.rowcount != 0, "nothing was spoilt"
            connection.close()
        return urls

    return copy
