"""`manage.py event_types`: what each type of event is good for, as a table; docs/events.md is made of it."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import translation

from payments.endpoints.catalogue import as_markdown


class Command(BaseCommand):
    """Asks neither Stripe nor the database."""

    help = "Print every event type that is understood here, with its rank and what follows from it (Markdown)."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        codes = [code for code, _name in settings.LANGUAGES]
        parser.add_argument("--language", choices=codes, default="en", help="of the sentences (%(default)s)")

    def handle(self, *args: Any, language: str, **options: Any) -> None:
        with translation.override(language):
            self.stdout.write(as_markdown())
