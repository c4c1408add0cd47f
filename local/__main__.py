"""The entry: with any Python it says what is missing; with 3.11 or later it prepares .venv and goes on inside it."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - a newcomer's Python may be older; any Python 3 can read this file
    sys.exit(
        "comptoir: Python {}.{} is too old, 3.11 or later is needed: name another one, as in"
        " `make up PYTHON=python3.13`".format(*sys.version_info)
    )

from local import cli

sys.exit(cli.main(sys.argv[1:]))
