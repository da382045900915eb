"""`manage.py check_schema`: is the database built as the migrations make it, or has somebody changed it by hand?"""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from payments.database.drift import Difference, find_drift
from payments.database.throwaway import NoThrowaway, throwaway_database


class Command(BaseCommand):
    """Exit code 0: it is; 1: something differs, or could not be compared."""

    help = (
        "Compare tables, columns, types, defaults, constraints, indexes, triggers and views with a throw-away database "
        "that the migrations make beside this one. Changes nothing here."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of sentences")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        _require_migrated()
        try:
            with throwaway_database() as database:
                found = find_drift(database)
        except NoThrowaway as trouble:
            raise CommandError(str(trouble)) from trouble
        if options["json"]:
            self.stdout.write(json.dumps({"differences": [each.as_dict() for each in found]}))
        else:
            self.stdout.write("\n".join(_as_text(found)))
        if found:
            raise SystemExit(1)


def _require_migrated() -> None:
    """Raises CommandError: what a migration still does is no change by hand."""
    executor = MigrationExecutor(connection)
    if waiting := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        names = ", ".join(str(migration) for migration, _backwards in waiting[:3])
        raise CommandError(f"{len(waiting)} migrations are not applied ({names} …): run manage.py migrate first.")
    if further := sorted(set(executor.loader.applied_migrations) - set(executor.loader.disk_migrations)):
        names = ", ".join(".".join(each) for each in further[:3] if each[0] != "stripe_emulator")
        if names:
            raise CommandError(f"The database was migrated by another version of the product ({names}): compare there.")


def _as_text(found: list[Difference]) -> list[str]:
    if not found:
        return ["The database is built as the migrations make it."]
    lines = [f"{len(found)} things are not as the migrations make them:"]
    for each in found:
        lines += [f"  {each.sentence}", f"    → {each.remedy}"]
    return [*lines, "Make a back-up first; what was added by hand may be wanted."]
