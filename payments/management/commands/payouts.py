"""`manage.py payouts`: reads what Stripe has sent to the bank and what it is made of, and says what does not add up."""

import json
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.utils import timezone

from config.command_line import past_day
from payments.figures.days import midnight
from payments.payouts.models import PayoutWalk
from payments.payouts.walk import AlreadyReading, read_payouts
from payments.stripe_api.lookups import RATE_LIMIT_PATIENCE, ThrottledStripe


class Command(BaseCommand):
    """Exit code 1: another walk is under way, or Stripe did not answer or refused: the rest is for the next one."""

    help = "Read payouts and what they are made of from Stripe, and ask staff about what does not add up."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--since", metavar="DAY", type=past_day, help="2026-11-01, in the site's zone; usually: since the last time"
        )
        parser.add_argument("--dry-run", action="store_true", help="only say what does not add up; keep nothing")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of sentences")

    @no_translations
    def handle(self, *args: Any, since: date | None, dry_run: bool, **options: Any) -> None:
        stripe = ThrottledStripe(patience=RATE_LIMIT_PATIENCE)
        moment = midnight(since) if since else None
        try:
            walk = read_payouts(clock=timezone.now, stripe=stripe, since=moment, dry_run=dry_run)
        except AlreadyReading as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(_as_json(walk) if options["json"] else _as_text(walk))
        if walk.finished_at is None:
            raise CommandError(f"Not finished: {walk.error}")


def _as_text(walk: PayoutWalk) -> str:
    lines = [f"  {finding['payout']}  {finding['sentence']}" for finding in walk.findings]
    return "\n".join([walk.sentence, *lines, *(["Dry run: nothing was kept."] if walk.is_dry_run else [])])


def _as_json(walk: PayoutWalk) -> str:
    return json.dumps({
        "since": walk.since.isoformat(), "until": walk.started_at.isoformat(), "dry_run": walk.is_dry_run,
        "finished": walk.finished_at is not None, "error": walk.error, "counts": walk.counts,
        "findings": walk.findings,
    })  # fmt: skip
