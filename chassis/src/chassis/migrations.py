"""Migration operations that more than one service needs."""

from django.db.migrations import RunSQL


def append_only(table: str) -> RunSQL:
    """Makes the database itself refuse every UPDATE and DELETE on a ledger, whoever asks.

    A mistake in a ledger is corrected by another entry. Needs the owner's right to create functions and triggers.
    """
    return RunSQL(
        f"""
        CREATE FUNCTION {table}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION '{table} is append-only' USING ERRCODE = 'restrict_violation'; END $$;
        CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
        FOR EACH ROW EXECUTE FUNCTION {table}_is_append_only();
        """,
        f"DROP TRIGGER {table}_append_only ON {table}; DROP FUNCTION {table}_is_append_only();",
    )
