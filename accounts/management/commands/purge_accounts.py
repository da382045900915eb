"""`manage.py purge_accounts`: deletes accounts that nobody has confirmed within 30 days."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from accounts.services import purge_accounts


class Command(BaseCommand):
    """Never touches anybody with a password, a confirmed address or access to the admin."""

    help = "Delete accounts that were begun more than 30 days ago and never confirmed (safe to run again)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say how many")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        count = purge_accounts(at=timezone.now(), dry_run=dry_run)
        self.stdout.write(f"{'Would delete' if dry_run else 'Deleted'}: {count}")
