"""``make audit-large``: a shop of 100,000 orders of real baskets, audited; says how long it took and what it cost.

ORDERS: how many orders (default 100000).
"""

import os
import resource
import sys
import time

from chassis.testing import postgres
from tqdm import tqdm

from loadtest.auditor.__main__ import lines
from loadtest.auditor.audit import examine
from loadtest.tests.auditor import servers
from loadtest.tests.auditor.population import populate

LIMIT_SECONDS = 60


def main() -> int:
    """1 where the audit found something or took longer than a minute."""
    orders = int(os.environ.get("ORDERS", "100000"))
    begin = time.monotonic()
    urls = servers.migrated(postgres.start())
    populate(urls, orders)
    print(f"{orders:,} orders were written in {time.monotonic() - begin:.0f} s", flush=True)
    before, begin = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    report = examine(urls, watch=lambda iterable, **words: tqdm(iterable, leave=False, disable=None, **words))
    seconds = time.monotonic() - begin
    print("\n".join(lines(report, 5, seconds)))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"the auditor's memory grew by {grown:.0f} MiB")
    return int(bool(report.findings) or seconds > LIMIT_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
