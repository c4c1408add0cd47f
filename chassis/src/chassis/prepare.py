"""``python -m chassis.prepare``: brings a database up to date, makes sure of the roles and the staff account.

A one-shot job before the service starts, with the role that owns the schema; the service's own role cannot migrate.
"""

import os

from chassis import env


def main() -> None:
    """Migrates, makes the staff roles, and the staff account where STAFF_EMAIL and STAFF_PASSWORD are given."""
    # DATABASE_OWNER_URL: the role that owns the schema; DATABASE_URL where there is only one role.
    owner = env.text("DATABASE_OWNER_URL", "") or env.text("DATABASE_URL")
    os.environ.pop("DATABASE_URL_FILE", None)
    os.environ["DATABASE_URL"] = owner
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

    import django
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection
    from django.utils.module_loading import import_string

    django.setup()
    with connection.cursor() as cursor:
        # A migration may take its time, but must not queue for a lock so long that all readers queue behind it.
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SET lock_timeout = '5s'")
    call_command("migrate", interactive=False, verbosity=1 if env.flag("VERBOSE", False) else 0)

    from chassis.staff import ensure_owner, ensure_roles

    ensure_roles()
    # STAFF_EMAIL, STAFF_PASSWORD: the account with which staff sign in to every admin.
    email, password = env.text("STAFF_EMAIL", ""), env.text("STAFF_PASSWORD", "")
    if email and password:
        ensure_owner(email=email, password=password)
    for step in getattr(settings, "PREPARE", []):  # what else a service makes sure of
        import_string(step)()


if __name__ == "__main__":
    main()
