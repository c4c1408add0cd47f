"""`make security`: the services' routes.toml as tables in docs/security.md, between its two marks.

python -m local.security [--check]
"""

import sys
from collections.abc import Iterable

from chassis.testing.environment import SERVICES
from chassis.testing.routes import CALLERS, Rule, rules

from local.venv import ROOT

DOCUMENT = ROOT / "docs" / "security.md"
BEGIN, END = "<!-- routes: made by `make security` -->", "<!-- end of routes -->"
SHORT = {name: name.replace("-service", " svc") for name in CALLERS}


def tables() -> str:
    """All tables, each cell a ✓ or the status of the refusal, and their counts."""
    found = {service: rules(ROOT / service / "routes.toml") for service in SERVICES}
    count = sum(len(table) for table in found.values())
    words = [f"{count} routes for {len(CALLERS)} callers: {count * len(CALLERS)} cells."]
    for service, table in found.items():
        words += [f"\n**{service}**\n", _row("route", SHORT.values()), _row("---", ["---"] * len(CALLERS))]
        words += [_row(f"`{route}`", [_cell(rule, caller) for caller in CALLERS]) for route, rule in table.items()]
    return "\n".join(words)


def _row(first: str, rest: Iterable[str]) -> str:
    return "| " + " | ".join([first, *rest]) + " |"


def _cell(rule: Rule, caller: str) -> str:
    return "✓" if caller in rule.may else str(rule.expected(caller))


def rendered() -> str:
    """The document with the tables as they are now."""
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n\n{tables()}\n\n{END}{after}"


def main(words: list[str]) -> int:
    """Writes the document, or with --check says whether it is as it should be."""
    fresh = rendered()
    if "--check" not in words:
        DOCUMENT.write_text(fresh, encoding="utf-8")
        return 0
    if fresh != DOCUMENT.read_text(encoding="utf-8"):
        print("comptoir: docs/security.md does not show the routes as they are: make security", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
