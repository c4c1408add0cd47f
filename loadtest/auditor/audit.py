"""The audit: every invariant, and a second look at each suspect."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from loadtest.auditor import carts, cases, checks, single
from loadtest.auditor.databases import Databases, opened
from loadtest.auditor.findings import INVARIANTS, Finding

Watch = Callable[..., Iterable[Any]]
"""Shows how far it is: called as ``watch(iterable, desc=…, total=…)``, as tqdm is."""


@dataclass
class Report:
    """What was looked at, by invariant, and every offender."""

    checked: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    left_aside: int = 0
    """Orders that changed within the quiet time."""

    def of(self, invariant: str) -> list[Finding]:
        """The offenders against one invariant."""
        return [finding for finding in self.findings if finding.invariant == invariant]


def _unwatched(iterable: Iterable[Any], **_: object) -> Iterable[Any]:
    return iterable


def audit(
    urls: Mapping[str, str], settle_seconds: float = 60.0, recheck_seconds: float = 2.0, since: float | None = None
) -> list[Finding]:
    """Every offender against an invariant, none in a shop that is true.

    ``urls`` by database: products, stock, customers, cart, orders, testpay; read only. What changed within the last
    ``settle_seconds`` is left aside; 0 means that everything has to be at rest by now. With ``since`` only the orders
    placed in so many seconds are looked at, and the goods and accounts in them: what that takes grows with them, not
    with the shop. Raises ``psycopg2.Error``.
    """
    return examine(urls, settle_seconds, recheck_seconds, since=since).findings


def examine(
    urls: Mapping[str, str],
    settle_seconds: float = 60.0,
    recheck_seconds: float = 2.0,
    watch: Watch = _unwatched,
    since: float | None = None,
) -> Report:
    """As ``audit``, with the counts. Suspects are looked at twice, ``recheck_seconds`` apart: what the second look does
    not see was a step under way.
    """
    report = _look(urls, settle_seconds, watch, since)
    if report.findings:
        time.sleep(recheck_seconds)
        suspects = {finding[:2] for finding in report.findings}
        report = _look(urls, settle_seconds, watch, since)
        report.findings = [finding for finding in report.findings if finding[:2] in suspects]
    report.findings.sort(key=lambda finding: (list(INVARIANTS).index(finding.invariant), finding.subject))
    return report


def _look(urls: Mapping[str, str], settle: float, watch: Watch, since: float | None) -> Report:
    report = Report()
    with opened(urls, settle, since) as databases:
        for rule in watch(single.RULES, desc="each database", total=len(single.RULES)):
            report.checked[rule.invariant] = databases.value(rule.database, rule.count)
            report.findings += rule.find(databases)
        total = cases.count(databases)
        report.findings += _across(databases, watch(cases.read(databases), desc="orders", total=total), report)
        for id, wrong in carts.accounts(databases):
            report.checked["accounts"] += 1
            if wrong:
                report.findings.append(Finding("accounts", f"account {id}", wrong))
    return report


def _across(databases: Databases, found: Iterable[cases.Case], report: Report) -> Iterator[Finding]:
    missing = carts.Missing(databases)
    for case in found:
        if not case.quiet:
            report.left_aside += 1
            continue
        for invariant, check in checks.CHECKS.items():
            if (wrong := check(case)) is not None:
                report.checked[invariant] += 1
                if wrong:
                    yield Finding(invariant, _name(case), wrong)
        if (wrong := carts.consumed(case)) is not None:
            report.checked["carts"] += 1
            if wrong == carts.ASK:
                yield from missing.add(case)
            elif wrong:
                yield Finding("carts", _name(case), wrong)
    yield from missing.ask()


def _name(case: cases.Case) -> str:
    if case.order:
        return f"order {case.id}"
    return f"{'reservation' if case.reservation else 'charge' if case.charge else 'order'} {case.id}"
