"""`make reconcile`: repairs what the auditor finds after databases of different moments were restored; never silently.

    python -m loadtest.reconcile

Which service repairs what is below; each does it by its own code (`manage.py reconcile`), and says what it did. Then
the auditor looks again, until it finds nothing or a round changes nothing. Ends with 1 where something is left, for
a person to decide. COMPOSE: how to call Compose ("docker compose"), for the shop in Docker.
"""

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
Manage = Callable[[str, Iterable[str]], None]


def main() -> int:
    """Repairs the local shop, or the one in Docker."""
    begin = time.monotonic()
    try:
        left = reconcile(urls.from_environment(ROOT), _manage(), say=lambda line: print(line, flush=True))
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


def reconcile(databases: Mapping[str, str], manage: Manage, say: Callable[[str], None]) -> list[Finding]:
    """Repairs round by round; the findings that are left."""
    findings = audit(databases, settle_seconds=0)
    for turn in range(ROUNDS):
        due = {name: ids for name, ids in _due(findings).items() if ids}
        if not due:
            break
        for finding in findings:
            say(f"found: {finding.invariant}: {finding}")
        for service, ids in due.items():
            manage(service, ids)
        before, findings = findings, audit(databases, settle_seconds=0)
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


def _manage() -> Manage:
    if command := os.environ.get("COMPOSE"):
        return lambda service, ids: _run([*shlex.split(command), "exec", "-T", service, "python"], service, ids, {})
    shop = Shop.found(Path(os.environ.get("COMPTOIR_STATE") or ROOT / ".local").absolute())
    if not shop.supervisor.alive():
        raise Problem("the shop is down: `make up` starts it, its services repair each other")
    return local(shop)


def local(shop: Shop) -> Manage:
    """How the commands of a local shop's services are called."""
    return lambda service, ids: _run(shop.user.command(PYTHON), service, ids, shop.command_env(service))


def _run(python: list[str], service: str, ids: Iterable[str], variables: Mapping[str, str]) -> None:
    """What is not repaired is said by the command, and found again by the next audit: its status does not matter."""
    subprocess.run(  # noqa: S603 - ids go in by standard input
        [*python, "manage.py", "reconcile"],
        cwd=ROOT / service,
        env={**os.environ, **variables} if not variables else dict(variables),
        input="".join(f"{id}\n" for id in ids),
        text=True,
        check=False,
    )


if __name__ == "__main__":
    sys.exit(main())
