"""`manage.py finance_export 2026-11`: a month of money for the accounts, as CSV."""

import csv
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.utils import timezone

from payments.figures.export import no_formula
from payments.figures.finance import NoSuchCurrency, NoSuchMonth, finance_table, read_currency, read_month, read_until


class Command(BaseCommand):
    """Amounts as "49.00"; exit code 1 for what is no month or no currency."""

    help = (
        "Print everything that moved Stripe's balance in one month as CSV: payments, refunds, disputes, fees and "
        "payouts, a row each, with the sums of each currency at the end."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("month", metavar="MONTH", help="2026-11, in the site's zone")
        parser.add_argument("--currency", default="", help="only this one, such as eur")

    @no_translations
    def handle(self, *args: Any, month: str, currency: str, **options: Any) -> None:
        try:
            days, code = read_month(month, at=timezone.now()), read_currency(currency)
        except (NoSuchMonth, NoSuchCurrency) as refusal:
            raise CommandError(str(refusal)) from refusal
        writer = csv.writer(self.stdout)
        for row in finance_table(days, currency=code):
            writer.writerow([no_formula(cell) if isinstance(cell, str) else cell for cell in row])
        if read_until() < days.until:
            self.stderr.write("Not all of the month has been read from Stripe yet: manage.py payouts reads it.")
