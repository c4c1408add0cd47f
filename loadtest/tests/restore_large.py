"""``make restore-large``: 10,000 orders, business for 30 s between two dumps, then a restore of both, reconciled.

Says how long the restore and the reconciling took together; 1 where it was more than a minute, or something is left.
"""

import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from local import ports
from local.backup import backup
from local.restore import restore
from local.servers import Local
from local.shop import Shop
from local.venv import ROOT

from loadtest.auditor import DATABASES
from loadtest.tests.auditor.population import populate
from loadtest.tests.till import Till, mixed

ORDERS = 10_000
BETWEEN_SECONDS = 30
LIMIT_SECONDS = 60


def main() -> int:
    """Orders as of the first dump, the rest as of the second, and the other way round."""
    folder = Path(tempfile.mkdtemp(prefix="comptoir-restore-"))
    folder.chmod(0o755)
    shop = Shop(folder / "state", ports.free_offset(), {"SEED": "none"})
    try:
        with shop:
            password = (shop.state.secrets / "superuser_password").read_text()
            server = f"postgres://postgres:{password}@127.0.0.1:{shop.ports['POSTGRES_PORT']}"
            populate({name: f"{server}/{name}" for name in DATABASES}, ORDERS)
            shop.manage("products", "import_products", str(ROOT / "data" / "catalogue.csv"))
            return _run(Till(shop), folder)
    finally:
        shop.forget()
        shutil.rmtree(folder, ignore_errors=True)


def _run(till: Till, folder: Path) -> int:
    where = Local(till.shop)
    before = backup(where, folder / "backups")
    bought = _business(till)
    after = backup(where, folder / "backups")
    print(f"{ORDERS:,} orders, {bought} more within {BETWEEN_SECONDS} s between the dumps", flush=True)
    failed = 0
    for older in (["orders"], ["stock", "cart"]):
        source = mixed(folder / "-".join(older), newer=after, older=before, names=older)
        begin = time.monotonic()
        restore(where, source, DATABASES, say=lambda line: print(f"  {line}", flush=True))
        restored = time.monotonic()
        said = till.reconcile(quiet=True)
        seconds = time.monotonic() - begin
        names = " and ".join(older)
        found = sum(line.startswith("found") for line in said)
        print(
            f"{names} older: restored in {restored - begin:.1f} s, with {found} findings reconciled in {seconds:.1f} s"
        )
        failed += seconds > LIMIT_SECONDS
    return int(failed > 0)


def _business(till: Till) -> int:
    end = time.monotonic() + BETWEEN_SECONDS

    def buyer(_: int) -> int:
        count = 0
        while time.monotonic() < end:
            count += bool(till.buy())
        return count

    with ThreadPoolExecutor(4) as pool:
        return sum(pool.map(buyer, range(4)))


if __name__ == "__main__":
    sys.exit(main())
