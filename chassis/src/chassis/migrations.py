"""Migration operations that more than one service needs."""

from collections.abc import Iterable
from typing import Any

from django.db.migrations import AlterField, RunSQL, SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation
from django.db.models import Field


def append_only(table: str) -> RunSQL:
    """Makes the database itself refuse every UPDATE and DELETE on a ledger, whoever asks; see ``insert_only``.

    A mistake in a ledger is corrected by another entry. Needs the owner's right to create functions and triggers.
    """
    return RunSQL(
        f"""
        CREATE FUNCTION {table}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION '{table} is append-only' USING ERRCODE = 'restrict_violation'; END $$;
        CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
        FOR EACH ROW EXECUTE FUNCTION {table}_is_append_only();
        {_TAKEN_AWAY.format(table=table)}
        """,
        f"DROP TRIGGER {table}_append_only ON {table}; DROP FUNCTION {table}_is_append_only();",
    )


def insert_only(table: str) -> RunSQL:
    """Takes the rights to change or delete a ledger's rows from all but its owner, who needs them to migrate.

    The trigger of ``append_only`` stops a mistake; this stops whoever got hold of the application's password, who
    cannot drop the trigger either. For ledgers that were made before ``append_only`` did it.
    """
    return RunSQL(_TAKEN_AWAY.format(table=table), RunSQL.noop)


def while_in_use(*operations: Operation) -> list[Operation]:
    """Operations that say CONCURRENTLY, in a migration that says ``atomic = False``, for as long as they take.

    They wait for who reads, be it a backup, and hold up nobody: ``chassis.prepare`` limits such waits for those who do.
    """
    return [
        RunSQL(
            "SELECT set_config('chassis.lock_timeout', current_setting('lock_timeout'), false),"
            " set_config('lock_timeout', '0', false)",
            RunSQL.noop,
        ),
        *operations,
        RunSQL("SELECT set_config('lock_timeout', current_setting('chassis.lock_timeout'), false)", RunSQL.noop),
    ]


def without_index(model: str, name: str, field: "Field[Any, Any]", *indexes: str) -> SeparateDatabaseAndState:
    """Drops the indexes that Django made for a field, here ``field`` with ``db_index=False``; see ``while_in_use``.

    For those that nobody needs, as another one begins with the field or nobody looks rows up by it: each costs as much
    as the others at every row. As an ``AlterField`` it would check all rows against their foreign key anew, and nobody
    could write meanwhile. The way back leaves them out as well.
    """
    return SeparateDatabaseAndState(
        _dropped(indexes),
        [AlterField(model, name, field)],
    )


def without_pattern_index(*indexes: str) -> list[RunSQL]:
    """Drops the second index that Django makes of a unique text for ``LIKE 'x%'``; see ``while_in_use``.

    For columns whose collation is C: there the first one answers that as well. Django does not know of it, so nothing
    of its state changes, and an ``AlterField`` of the column may make it anew.
    """
    return _dropped(indexes)


def _dropped(indexes: Iterable[str]) -> list[RunSQL]:
    return [RunSQL(f"DROP INDEX CONCURRENTLY IF EXISTS {index}", RunSQL.noop) for index in indexes]


# Roles are found by the rights they have: a migration knows none by name.
_TAKEN_AWAY = """
        DO $$ DECLARE holder text; BEGIN
            FOR holder IN
                SELECT DISTINCT grantee::regrole::text FROM pg_class, aclexplode(relacl)
                WHERE pg_class.oid = '{table}'::regclass AND grantee NOT IN (0, relowner)
                    AND privilege_type IN ('UPDATE', 'DELETE', 'TRUNCATE')
            LOOP EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM %s', holder); END LOOP;
        END $$;
"""
