import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from chassis.errors import DomainError
from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError
from tqdm import tqdm

from products.domain import imports
from products.domain.feed import Refused

GO_ON = "What was done stays. Run the same command again to complete the import; nothing is done twice."


class Command(BaseCommand):
    """Imports a product feed (CSV, TSV or JSON lines, columns as in Google's product feed).

    The exit code is 0 when the import ran to its end, refused rows included, each of which is reported; 1 when nothing
    could be imported or the import could not be completed; 130 after Ctrl-C. The same command again goes on.
    """

    help = __doc__
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """FILE and --once."""
        parser.add_argument("file", type=Path, help="the feed; UTF-8, with or without a byte order mark")
        parser.add_argument("--once", action="store_true", help="do nothing where this content was imported before")

    def handle(self, *args: Any, file: Path, once: bool, **options: Any) -> None:
        """Runs the import, with a bar where somebody looks on."""
        if not file.is_file():
            raise CommandError(f"There is no file {file}.")
        with tqdm(total=file.stat().st_size, unit="B", unit_scale=True, disable=None, file=sys.stderr) as bar:

            def refused(row: Refused) -> None:
                bar.write(f"line {row.line}: {row.reason}", file=sys.stderr)

            try:
                result = imports.run(
                    path=file,
                    once=once,
                    refused=refused,
                    progress=lambda position: bar.update(position - bar.n),
                    waiting=lambda: bar.set_description("another import is running, waiting for it"),
                )
            except KeyboardInterrupt:
                bar.close()
                self.stderr.write(f"Stopped. {GO_ON}")
                sys.exit(130)
            except DomainError as error:
                bar.close()
                raise CommandError(f"{error.detail}\n{_what_now(error)}") from None
            except (OSError, OperationalError, InterfaceError) as error:
                bar.close()
                raise CommandError(f"{str(error).strip()}\n{GO_ON}") from None
            bar.update(bar.total - bar.n)
        self._say(file, result)

    def _say(self, file: Path, result: imports.Result) -> None:
        if result.skipped:
            self.stdout.write(f"{file.name} was imported before: nothing to do.")
            return
        made = result.counts
        self.stdout.write(
            f"{file.name}: {result.rows} rows in, {result.refused} refused; {made.products} products and "
            f"{made.variants} variants made, {made.changed} changed, {result.received} quantities received."
        )
        if result.refused and not result.rows:
            raise CommandError("No row could be used; the reasons are above.")


def _what_now(error: DomainError) -> str:
    if error.code == "feed_unreadable":
        return "Nothing was imported."
    return GO_ON
