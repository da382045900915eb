"""`manage.py backup_state FILE|DIRECTORY`: all that the product knows, in one file, while everybody goes on working."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.utils import timezone
from tqdm import tqdm

from payments.database.archive import BackupRefused, Entry
from payments.database.backup import back_up, target_in
from payments.database.throwaway import NoThrowaway, throwaway_database

MEGABYTE = 1_000_000


class Command(BaseCommand):
    """Exit code 1: no back-up was made, or (--verify) it could not be tried."""

    help = (
        "Write everything that the database holds into one file that only its owner can read: people, orders, the "
        "ledger, registrations, modules. Not who is signed in, and not the Stripe emulator. Nothing is overwritten."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("target", type=Path, help="the file; of a directory: a new file in it, named by the moment")
        parser.add_argument("--with-emulator", action="store_true", help="the Stripe emulator's tables as well")
        parser.add_argument(
            "--verify", action="store_true",
            help="try it: restore it into a throw-away database beside this one, and drop that again",
        )  # fmt: skip

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        target = target_in(options["target"], at=timezone.now())
        try:
            with tqdm(unit=" rows", file=sys.stderr, disable=not sys.stderr.isatty(), leave=False) as bar:
                made = back_up(target, with_emulator=options["with_emulator"], told=lambda entry: _show(bar, entry))
        except BackupRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        size = target.stat().st_size / MEGABYTE
        self.stdout.write(
            f"{target}: {made.rows} rows of {len(made.tables)} tables as of {made.made_at[:19]} UTC, {size:.1f} MB."
        )
        if options["verify"]:
            self._verify(target)

    def _verify(self, target: Path) -> None:
        try:
            with throwaway_database() as database:
                database.run("restore_state", str(target.resolve()))
        except NoThrowaway as trouble:
            raise CommandError(f"The back-up is written, and was not tried: {trouble}") from trouble
        self.stdout.write("Tried: it was restored into a throw-away database, and every row read back is the same.")


def _show(bar: Any, entry: Entry) -> None:
    bar.set_description(entry.name, refresh=False)
    bar.update(entry.rows)
