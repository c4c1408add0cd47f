"""Write the gateway's files to a directory that `nginx -p DIR/ -c nginx.conf` can run (Docker: its entrypoint).

python nginx/render.py DIR        values: variables.env, overridden by the environment
"""

import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

SOURCE = Path(__file__).resolve().parent
PLAIN = ("nginx.conf", "snippets", "routes", "njs", "html")
PLACEHOLDER = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")


def defaults() -> dict[str, str]:
    """Every variable of variables.env with its default."""
    lines = (SOURCE / "variables.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def render(target: Path, environ: Mapping[str, str]) -> None:
    """Fill `target` with the configuration for these variables; names that variables.env does not know are ignored.

    Raises KeyError when a template uses a variable that variables.env does not list, ValueError for a value that
    could add a directive.
    """
    known = defaults()
    values = {name: environ.get(name, default) for name, default in known.items()}
    for name, value in values.items():
        if re.search(r"[\"'$\\\r\n]", value):
            raise ValueError(f"{name}: quotes, $, backslashes and line breaks are not allowed in {value!r}")
    target.mkdir(parents=True, exist_ok=True)
    for name in PLAIN:
        copy = shutil.copytree if (SOURCE / name).is_dir() else shutil.copy
        if (target / name).is_dir():
            shutil.rmtree(target / name)
        copy(SOURCE / name, target / name)
    (target / "conf.d").mkdir(exist_ok=True)
    for template in sorted((SOURCE / "templates").glob("*.template")):
        text = PLACEHOLDER.sub(lambda found: values[found[1]], template.read_text())
        (target / "conf.d" / template.stem).write_text(text)
    Path(values["GATEWAY_RUN_DIR"]).mkdir(parents=True, exist_ok=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        render(Path(sys.argv[1]), os.environ)
    except ValueError as error:
        sys.exit(f"gateway: {error}")
