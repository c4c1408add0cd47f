"""``python -m loadtest.auditor``: audits the shop; ends with 1 where there are offenders, 2 where it could not look.

AUDIT_SETTLE: seconds in which a change is left aside (default 60; 0: everything has to be at rest).
AUDIT_SINCE: only the orders placed in so many seconds, as 86400 for the last day (default: all).
AUDIT_OFFENDERS: how many offenders are shown for each invariant (default 5; 0: all of them).
Where the databases are: see urls.py.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import psycopg2
from psycopg2.extensions import set_wait_callback
from psycopg2.extras import wait_select
from tqdm import tqdm

from loadtest.auditor import urls
from loadtest.auditor.audit import Report, examine
from loadtest.auditor.findings import INVARIANTS

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Runs the audit; the exit status."""
    options = _options()
    set_wait_callback(wait_select)  # Ctrl-C ends a long query at once
    begin = time.monotonic()
    try:
        report = examine(
            urls.from_environment(ROOT),
            settle_seconds=options.settle,
            since=options.since,
            watch=lambda iterable, **words: tqdm(iterable, leave=False, disable=None, **words),
        )
    except urls.Unknown as problem:
        return _cannot(str(problem))
    except (KeyboardInterrupt, psycopg2.errors.QueryCanceled):
        print("audit: interrupted, nothing is proved", file=sys.stderr)
        return 130
    except psycopg2.Error as error:
        return _cannot(f"a database does not answer as it should: {error}".strip())
    if options.json:
        print(json.dumps(report.findings))
    else:
        print("\n".join(lines(report, options.offenders, time.monotonic() - begin)))
    return 1 if report.findings else 0


def lines(report: Report, most: int, seconds: float) -> list[str]:
    """One line an invariant, then its first offenders; the verdict last."""
    told = []
    for name, meaning in INVARIANTS.items():
        found = report.of(name)
        verdict = f"{len(found):,} OFFENDERS" if found else "ok"
        told.append(f"{name:14} {report.checked[name]:>9,} checked  {verdict:>12}  {meaning}")
        told += [f"{'':16}{finding}" for finding in found[: most or None]]
        if most and len(found) > most:
            told.append(f"{'':16}and {len(found) - most:,} more (AUDIT_OFFENDERS=0 shows all)")
    aside = f", {report.left_aside:,} left aside that changed just now" if report.left_aside else ""
    verdict = f"{len(report.findings):,} offenders" if report.findings else "no offenders"
    return [*told, f"{verdict}{aside}, in {seconds:.1f} s"]


def _cannot(why: str) -> int:
    print(f"audit: {why}", file=sys.stderr)
    return 2


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m loadtest.auditor", description="Audits the shop's databases.")
    parser.add_argument("--settle", type=float, default=os.environ.get("AUDIT_SETTLE") or 60, metavar="SECONDS")
    parser.add_argument("--since", type=float, default=os.environ.get("AUDIT_SINCE") or None, metavar="SECONDS")
    parser.add_argument("--offenders", type=int, default=os.environ.get("AUDIT_OFFENDERS") or 5, metavar="NUMBER")
    parser.add_argument("--json", action="store_true", help="only the offenders, as a JSON list, for programs")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
