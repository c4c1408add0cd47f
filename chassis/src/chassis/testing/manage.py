"""``python -m chassis.testing.manage …``: manage.py in the tests' environment, for what only reads the code."""

import os
import sys

from chassis.testing import environment

if __name__ == "__main__":
    environment.apply()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(["manage.py", *sys.argv[1:]])
