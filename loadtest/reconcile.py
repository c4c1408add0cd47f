"""`make reconcile`: repairs what the auditor finds after databases of different moments were restored; never silently.

    python -m loadtest.reconcile

Which service repairs what is below; each does it by its own code (`manage.py reconcile`), and says what it did. Then
the auditor looks again, until it finds nothing or a round changes nothing. Ends with 1 where something is left, for
a person to decide. COMPOSE: how to call Compose ("docker compose"), for the shop in Docker.
"""

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import psycopg2
from local.problem import Problem
from local.shop import Shop
from local.venv import PYTHON, ROOT

from loadtest.auditor import Finding, audit, urls

ORDERS = ("goods", "money", "failed-goods", "failed-money", "carts", "stuck")
"""What orders repairs: it knows what was promised, asks the provider what was paid, and tells the others."""
LOST = ("for no order", "it is rejected", "it is cancelled", "it is refunded")
"""How a finding about a cart ends whose order will never ask it again."""
ROUNDS = 6
Audit = Callable[[], list[Finding]]
Manage = Callable[[str, Iterable[str]], None]


def main() -> int:
    """Repairs the local shop, or the one in Docker."""
    begin = time.monotonic()
    try:
        left = reconcile(*_shop(), say=lambda line: print(line, flush=True))
    except (Problem, urls.Unknown, psycopg2.Error) as problem:
        print(f"reconcile: {problem}".strip(), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("reconcile: interrupted; what was repaired stays so, run it again for the rest", file=sys.stderr)
        return 130
    for finding in left:
        print(f"left: {finding.invariant}: {finding}")
    print(f"{f'{len(left)} offenders are left' if left else 'no offenders'}, in {time.monotonic() - begin:.1f} s")
    return int(bool(left))


def reconcile(look: Audit, manage: Manage, say: Callable[[str], None]) -> list[Finding]:
    """Repairs round by round; the findings that are left."""
    findings = look()
    for turn in range(ROUNDS):
        due = {name: ids for name, ids in _due(findings).items() if ids}
        if not due:
            break
        for finding in findings:
            say(f"found: {finding.invariant}: {finding}")
        for service, ids in due.items():
            manage(service, ids)
        before, findings = findings, look()
        if turn and findings == before:
            break
    return findings


def _due(findings: Iterable[Finding]) -> dict[str, list[str]]:
    """The ids that each service has to see to. Orders come first: what they undo is for the others to forget."""
    due: dict[str, dict[str, None]] = {"orders": {}, "cart": {}, "customers": {}}
    for invariant, subject, detail in findings:
        id = subject.rpartition(" ")[2]
        if invariant in ORDERS:
            due["orders"][id] = None
        if invariant == "carts" and detail.startswith("lines were taken") and detail.endswith(LOST):
            due["cart"][id] = None
        if invariant == "accounts":
            due["customers"][id] = None
    return {service: list(ids) for service, ids in due.items()}


def _shop() -> tuple[Audit, Manage]:
    """How to look at the shop, and how to call its services' commands."""
    if command := shlex.split(os.environ.get("COMPOSE", "")):
        return (
            lambda: _audit_in_docker(command),
            lambda service, ids: _run([*command, "exec", "-T", service, "python"], service, ids, os.environ),
        )
    shop = Shop.found(Path(os.environ.get("COMPTOIR_STATE") or ROOT / ".local").absolute())
    if not shop.supervisor.alive():
        raise Problem("the shop is down: `make up` starts it, its services repair each other")
    databases = urls.from_environment(ROOT)
    return lambda: audit(databases, settle_seconds=0), local(shop)


def _audit_in_docker(compose: list[str]) -> list[Finding]:
    files = ("-f", "docker-compose.yml", "-f", "loadtest/auditor/compose.yml")
    command = [*compose, *files, "run", "--rm", "-T", "auditor", "python", "-m", "loadtest.auditor"]
    done = subprocess.run(  # noqa: S603 - Compose, as the person who typed it calls it
        [*command, "--json", "--settle", "0"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode not in (0, 1):
        raise Problem("the auditor could not look, see above")
    return [Finding(*finding) for finding in json.loads(done.stdout)]


def local(shop: Shop, *, quiet: bool = False) -> Manage:
    """How the commands of a local shop's services are called; ``quiet`` keeps what they say to themselves."""
    return lambda service, ids: _run(shop.user.command(PYTHON), service, ids, shop.command_env(service), quiet)


def _run(
    python: list[str], service: str, ids: Iterable[str], variables: Mapping[str, str], quiet: bool = False
) -> None:
    """What is not repaired is said by the command, and found again by the next audit: its status does not matter."""
    subprocess.run(  # noqa: S603 - ids go in by standard input
        [*python, "manage.py", "reconcile"],
        cwd=ROOT / service,
        env=dict(variables),
        stdout=subprocess.DEVNULL if quiet else None,
        input="".join(f"{id}\n" for id in ids),
        text=True,
        check=False,
    )


if __name__ == "__main__":
    sys.exit(main())
