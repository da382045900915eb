"""`manage.py restore_state FILE`: brings a back-up back into an empty database; `--check` only proves the file."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.db.migrations.loader import MigrationLoader

from payments.database.archive import BackupRefused, Manifest
from payments.database.restore import check_backup, require_same_migrations, restore
from payments.effects.models import Effect
from payments.statuses import EffectStatus

NOT_SENT = (EffectStatus.PENDING, EffectStatus.CLAIMED)


class Command(BaseCommand):
    """Exit code 1: nothing was changed, and the sentence says why."""

    help = (
        "Restore a back-up into a database that was migrated and is otherwise empty, all of it or nothing. It is "
        "read through and compared with its sums before, and read back from the database after."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="what manage.py backup_state has written")
        parser.add_argument("--check", action="store_true", help="only read it through; no database is touched")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._check(options["file"]) if options["check"] else self._restore(options["file"])
        except BackupRefused as refusal:
            raise CommandError(str(refusal)) from refusal

    def _check(self, path: Path) -> None:
        manifest = check_backup(path)
        self.stdout.write(f"{path} is whole: {_told(manifest)}.")
        try:
            require_same_migrations(manifest, _migrations_on_disk(manifest))
        except BackupRefused as refusal:
            self.stdout.write(f"For this version of the product, on a database that it migrates: {refusal}")

    def _restore(self, path: Path) -> None:
        restored = restore(path)
        made_at = restored.manifest.made_at[:19]
        self.stdout.write(f"Restored, and every row read back is the same: {_told(restored.manifest)}.")
        if restored.left_out:
            self.stdout.write(f"Left out, because no migration makes them: {', '.join(restored.left_out)}.")
        if waiting := Effect.objects.filter(status__in=NOT_SENT).count():
            self.stdout.write(
                f"{waiting} mails and refunds wait to go out. What went out after {made_at} UTC is not known here: "
                "look at them before the worker starts."
            )
        self.stdout.write("Next: manage.py stripe_backfill, reconcile, check_places and modules_repair --dry-run.")


def _told(manifest: Manifest) -> str:
    return (
        f"{manifest.rows} rows of {len(manifest.tables)} tables as of {manifest.made_at[:19]} UTC, made by version "
        f"{manifest.product_version!r} of {manifest.site!r} on PostgreSQL {manifest.server}"
    )


def _migrations_on_disk(manifest: Manifest) -> dict[str, list[str]]:
    """What `migrate` would make of an empty database, as far as a back-up tells of it."""
    found: dict[str, list[str]] = {}
    for app, name in sorted(MigrationLoader(None).disk_migrations):
        if app != "sessions" and (manifest.with_emulator or app != "stripe_emulator"):
            found.setdefault(app, []).append(name)
    return found
