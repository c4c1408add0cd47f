"""Which plans read a big table from end to end: auto_explain in every session, then each operation once more."""

import re
from collections.abc import Callable

from local.processes import WEB

from loadtest.bench.stand import Stand
from loadtest.scale.copying import loading

BIG = 20_000
DATABASES = ("products", "stock", "cart", "orders", "customers")
_ON = (
    "ALTER DATABASE {} SET session_preload_libraries = 'auto_explain'",
    "ALTER DATABASE {} SET auto_explain.log_min_duration = 0",
    # So that it says which parts of a plan were never begun.
    "ALTER DATABASE {} SET auto_explain.log_analyze = on",
    "ALTER DATABASE {} SET auto_explain.log_timing = off",
)
_TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples > %s"
_ENTRY = re.compile(r"^\d{4}-\d\d-\d\d .*?@(\w+) .*?duration: [\d.]+ ms  plan:$")


def sequential(stand: Stand, operate: Callable[[], object]) -> list[str]:
    """Runs the operations and returns a line for each plan with a sequential scan of a table beyond 20,000 rows."""
    log = stand.shop.log("postgres")
    big: dict[str, set[str]] = {}
    for name in DATABASES:
        with loading(stand.shop, name) as cursor:
            cursor.execute(_TABLES, [BIG])
            big[name] = {row[0] for row in cursor.fetchall()}
            for statement in _ON:
                cursor.execute(statement.format(name))
    for name in WEB:  # sessions that are there already explain nothing
        stand.shop.restart(name)
    begin = log.stat().st_size
    operate()
    with log.open(errors="replace") as lines:
        lines.seek(begin if log.stat().st_size >= begin else 0)
        return found(lines.read(), big)


def found(text: str, big: dict[str, set[str]]) -> list[str]:
    """The scans in auto_explain's text, once each: ``database.table: the query's beginning``."""
    scans: dict[str, None] = {}
    database, query = "", ""
    for line in text.splitlines():
        if entry := _ENTRY.match(line):
            database, query = entry[1], ""
        elif "Query Text:" in line:
            query = " ".join(line.partition("Query Text:")[2].split())[:120]
        elif not query.strip() and line.startswith("\t"):
            query = " ".join(line.split())[:120]
        scan = re.search(r"Seq Scan on (\w+)", line)
        if scan and scan[1] in big.get(database, ()) and not line.rstrip().endswith("(never executed)"):
            scans[f"{database}.{scan[1]}: {query}"] = None
    return list(scans)
