"""`manage.py evidence du_…`: packs what we know about a disputed payment into a file."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.utils import timezone

from payments.billing.models import Dispute
from payments.evidence import pack_evidence

SOURCE = "manage.py evidence"
OWNER_ONLY = 0o600


class Command(BaseCommand):
    """Writes what the button of the dispute's page downloads; nothing is sent to Stripe."""

    help = "Pack the evidence for a dispute into a ZIP file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("dispute", help="du_… or dp_…")
        parser.add_argument("--output", default="", help="the file to write; else the dispute's name with .zip")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        name = options["dispute"]
        row = Dispute.objects.select_related("order", "subscription").filter(stripe_id=name).first()
        if row is None:
            raise CommandError(f"No dispute is called {name}.")
        target = Path(options["output"] or f"{name}.zip")
        packed = pack_evidence(row, by=SOURCE, at=timezone.now())
        try:
            # It names people: nobody else on the machine needs to read it.
            target.touch(mode=OWNER_ONLY)
            target.chmod(OWNER_ONLY)  # it may have stood there before
            target.write_bytes(packed)
        except OSError as error:
            raise CommandError(f"{target} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"{target}: {len(packed)} bytes.")
