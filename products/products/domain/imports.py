"""Importing a feed: batch by batch, each in the database and then in stock before the next begins.

Nothing is lost and nothing done twice: a batch is one transaction, its quantities are received once per SKU and file
content, and how far the import came is a row. So an import that was stopped goes on where it stopped.
"""

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, OperationalError, connection
from django.db.models.functions import Now

from products import clients
from products.domain.feed import Feed, Refused, Row
from products.domain.upsert import Collision, Counts, upsert
from products.models import ImportRun

BATCH = 2000
"""Rows a batch: as many as stock takes in one call."""
ATTEMPTS = 3
_LOCK = 0x66656564


@dataclass
class Result:
    """What an import did. ``skipped``: the same content was imported completely before, and nothing was done."""

    rows: int = 0
    refused: int = 0
    counts: Counts = field(default_factory=Counts)
    received: int = 0
    """Variants whose quantity stock took in now."""
    skipped: bool = False


def run(
    *,
    path: Path,
    once: bool = False,
    refused: Callable[[Refused], None],
    progress: Callable[[int], None] = lambda position: None,
    waiting: Callable[[], None] = lambda: None,
) -> Result:
    """Imports a file. ``refused`` is told of each row that cannot be used, ``progress`` of the bytes read so far.

    With ``once`` it does nothing where this content was imported completely before. One import runs at a time in the
    whole shop, ``waiting`` is called while another one does. Raises ``Unreadable``, and ``DependencyUnavailable`` or
    ``ReceiptsRefused`` where stock does not take the quantities: the same import again goes on from there.
    """
    content = _hash(path)
    with _alone(waiting), Feed(path, currency=settings.CURRENCY) as feed:
        record, _ = ImportRun.objects.get_or_create(content=content, defaults={"file": path.name[:200]})
        if record.completed:
            if once:
                return Result(skipped=True)
            ImportRun.objects.filter(pk=content).update(rows_done=0, completed=None)
            record.rows_done = 0
        result = _import(feed, record, refused=refused, progress=progress)
        ImportRun.objects.filter(pk=content).update(rows_refused=result.refused, completed=Now())
    return result


def _import(
    feed: Feed, record: ImportRun, *, refused: Callable[[Refused], None], progress: Callable[[int], None]
) -> Result:
    result, cache, batch = Result(), dict[tuple[str, ...], int](), list[Row]()

    def finish() -> None:
        for name, count in vars(_with_patience(batch, cache)).items():
            setattr(result.counts, name, getattr(result.counts, name) + count)
        quantities = {row.sku: row.quantity for row in batch if row.quantity}
        if quantities:
            result.received += clients.receive(reference=f"feed:{record.content}", quantities=quantities)
        ImportRun.objects.filter(pk=record.pk).update(rows_done=result.rows)
        batch.clear()
        progress(feed.position)

    for row in _unique(feed):
        if len(batch) == BATCH:
            finish()
        if isinstance(row, Refused):
            result.refused += 1
            refused(row)
            continue
        result.rows += 1
        if result.rows > record.rows_done:
            batch.append(row)
    if batch:
        with connection.cursor() as cursor:
            # The last one takes into the indexes what waits there, where each search would read it.
            cursor.execute("RESET gin_pending_list_limit")
        finish()
    return result


def _unique(feed: Feed) -> Iterator[Row | Refused]:
    """The rows; one whose id stands on an earlier line already is refused."""
    seen = set[str]()
    for row in feed:
        if isinstance(row, Refused):
            yield row
        elif row.sku in seen:
            yield Refused(row.line, f"id {row.sku!r} stands on an earlier line already")
        else:
            seen.add(row.sku)
            yield row


def _with_patience(batch: list[Row], cache: dict[tuple[str, ...], int]) -> Counts:
    """The batch, done anew where staff came in its way at the same moment (a deadlock, the same SKU)."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return upsert(batch, cache)
        except (Collision, IntegrityError, OperationalError):
            if attempt == ATTEMPTS or connection.in_atomic_block:
                raise
            time.sleep(0.1 * attempt)
    raise AssertionError


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _alone(waiting: Callable[[], None]) -> Iterator[None]:
    """Holds the lock of imports, and gives statements the time that batches need.

    Rows go into the indexes of words many at a time, as PostgreSQL does by default: in a large shop in half the time.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '60s'; SET gin_pending_list_limit = '4MB'")
        while not _answer(cursor, "SELECT pg_try_advisory_lock(%s)"):
            waiting()
            time.sleep(0.5)
        try:
            yield
        finally:
            if not connection.needs_rollback and connection.is_usable():
                _answer(cursor, "SELECT pg_advisory_unlock(%s)")
                cursor.execute("RESET statement_timeout; RESET gin_pending_list_limit")


def _answer(cursor: object, statement: str) -> bool:
    cursor.execute(statement, [_LOCK])  # type: ignore[attr-defined]
    return bool(cursor.fetchone()[0])  # type: ignore[attr-defined]
