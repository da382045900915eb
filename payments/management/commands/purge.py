"""`manage.py purge --older-than DAYS`: takes the payloads out of old, finished events; the skeletons stay."""

import sys
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.utils import timezone
from tqdm import tqdm

from config.command_line import at_least_one
from payments.processing.purge import DEFAULT_DAYS, LEAST_DAYS, Purged, PurgeRefused, purge_payloads


class Command(BaseCommand):
    """Exit code 1: nothing was purged."""

    help = (
        "Take what Stripe sent out of old events that are finished. That they came, when, what became of them and whom "
        "they name stays, so that duplicates are recognized. Can be interrupted; the next run goes on."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--older-than", type=at_least_one, default=DEFAULT_DAYS, metavar="DAYS",
            help=f"received longer ago than that; {LEAST_DAYS} or more, else {DEFAULT_DAYS}",
        )  # fmt: skip
        parser.add_argument("--dry-run", action="store_true", help="only count")

    @no_translations
    def handle(self, *args: Any, older_than: int, dry_run: bool, **options: Any) -> None:
        try:
            with tqdm(unit=" events", file=sys.stderr, disable=not sys.stderr.isatty(), leave=False) as bar:
                done = purge_payloads(
                    older_than=timedelta(days=older_than), at=timezone.now(), dry_run=dry_run, progress=bar.update
                )
        except PurgeRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        except OverflowError as error:
            raise CommandError(f"{older_than} days ago there was no calendar.") from error
        self.stdout.write("\n".join(_as_text(done)))


def _as_text(done: Purged) -> list[str]:
    verb = "would be purged" if done.dry_run else "were purged"
    lines = [f"{done.purged} payloads of events received before {done.before:%Y-%m-%d %H:%M} UTC {verb}."]
    lines += [f"  {count} stay: {reason}." for reason, count in done.kept.items()]
    return [*lines, "Dry run: nothing was changed."] if done.dry_run else lines
