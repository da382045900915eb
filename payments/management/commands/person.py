"""`manage.py person export|erase EMAIL|NUMBER`: one person's data, for themselves or out of what must be kept."""

import json
import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from accounts.data_subject import (
    Erased,
    ErasureRefused,
    NobodyKnown,
    erase_individual,
    export_individual,
    find_individual,
)
from accounts.hooks import Individual
from payments.people.knows import Traces

SOURCE = "manage.py person"
OWNER_ONLY = 0o600


class Command(BaseCommand):
    """Exit code 1: nobody is known under that name, or nothing was written or erased; the sentence says why."""

    help = "Export all that is known of one person as JSON, or erase them from what the accounts must keep."

    def add_arguments(self, parser: CommandParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        export = acts.add_parser("export", help="everything that is known, as JSON")
        erase = acts.add_parser("erase", help="take the person out of what must be kept; it cannot be undone")
        for act in (export, erase):
            act.add_argument(
                "person", metavar="EMAIL|NUMBER", help="an address, also of a guest; or an account's number"
            )
        export.add_argument(
            "file", type=Path, nargs="?", help="a new file that only its owner reads; else the terminal"
        )
        erase.add_argument("--reason", default="", help="kept in the history of each order")
        erase.add_argument("--dry-run", action="store_true", help="do it and roll it back: how much of what")

    @no_translations
    def handle(self, *args: Any, act: str, **options: Any) -> None:
        try:
            person = find_individual(options["person"])
            if act == "export":
                self._export(person, options["file"])
            else:
                self._erase(person, reason=options["reason"], dry_run=options["dry_run"])
        except (NobodyKnown, ErasureRefused) as refusal:
            raise CommandError(str(refusal)) from refusal

    def _export(self, person: Individual, target: Path | None) -> None:
        told = export_individual(person, at=timezone.now())
        text = json.dumps(told, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2)
        if target is None:
            self.stdout.write(text)
            return
        try:
            with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "w") as file:
                file.write(text)
        except OSError as error:
            raise CommandError(f"{target} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"{target}: {', '.join(told)}.")

    def _erase(self, person: Individual, *, reason: str, dry_run: bool) -> None:
        known = Traces(person).customers.values_list("stripe_id", flat=True)
        customers = list(known)
        erased = erase_individual(person, by=SOURCE, reason=reason, at=timezone.now(), dry_run=dry_run)
        self.stdout.write("\n".join(_as_text(erased, dry_run=dry_run)))
        if customers and not dry_run:
            self.stdout.write(f"Delete them at Stripe too, or a resync brings them back: {', '.join(customers)}.")


def _as_text(erased: Erased, *, dry_run: bool) -> list[str]:
    if not erased.total:
        return [f"Nothing is left to erase: they are {erased.alias} already."]
    verb = "would be" if dry_run else "is"
    lines = [f"The person {verb} {erased.alias} from now on. Erased from:"]
    lines += [f"  {count} {name.replace('_', ' ')}" for name, count in erased.counts.items()]
    return [*lines, "Dry run: nothing was changed."] if dry_run else lines
