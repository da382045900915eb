"""`manage.py stripe_backfill`: takes in the events that Stripe lists and no delivery has brought."""

import json
from argparse import ArgumentTypeError
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.text import capfirst

from payments.backfill.backfill import AlreadyRunning, BackfillOptions, backfill
from payments.backfill.models import BackfillRun
from payments.management.commands.replay_events import moment

SOURCE = "manage.py stripe_backfill"


class Command(BaseCommand):
    """Exit code 1: another walk is under way, or this one has not come to its end; what it has found is taken in."""

    help = "Walk Stripe's list of events, take in those that are missing here, and say up to when all are here."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--since", type=past_moment, metavar="MOMENT",
            help="2026-11-01 or 2026-11-01T14:00; usually: where the last walk has stopped",
        )  # fmt: skip
        parser.add_argument("--dry-run", action="store_true", help="only say what is missing; take nothing in")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of sentences")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        asked = BackfillOptions(by=SOURCE, since=options["since"], dry_run=options["dry_run"])
        try:
            run = backfill(options=asked, clock=timezone.now)
        except AlreadyRunning as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(_as_json(run) if options["json"] else "\n".join(_as_text(run)))
        if not run.finished:
            raise CommandError(_trouble(run, asked.since))


def past_moment(text: str) -> datetime:
    """From the command line; argparse says what is wrong with any other word."""
    try:
        found = moment(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no date such as 2026-11-01 or 2026-11-01T14:00") from None
    if found > timezone.now():
        raise ArgumentTypeError(f"{text!r} lies in the future: nothing has happened since then")
    return found


def _as_text(run: BackfillRun) -> Iterator[str]:
    yield run.sentence
    for each in run.events:
        trouble = f"  (cannot be taken in: {each['trouble']})" if each["trouble"] else ""
        # In the site's zone, as the sentence above.
        at = timezone.localtime(parse_datetime(each["occurred_at"]))
        yield f"  {each['id']}  {each['type']}  {at:%Y-%m-%d %H:%M:%S %Z}{trouble}"
    if run.missing > len(run.events):
        yield f"  … and {run.missing - len(run.events)} more"
    if run.unlisted:
        yield run.unlisted
    if run.is_dry_run:
        yield "Dry run: nothing was taken in."


def _trouble(run: BackfillRun, since: datetime | None) -> str:
    """Where the timetable goes on by itself, and where it does not."""
    if since is None:
        return capfirst(run.why_not)
    return f"{capfirst(run.why_not)} (go on with --since {(run.reached or run.since).isoformat()})"


def _as_json(run: BackfillRun) -> str:
    return json.dumps({
        "since": run.since.isoformat(), "until": run.until.isoformat(), "dry_run": run.is_dry_run,
        "complete_up_to": run.reached.isoformat() if run.reached else None, "finished": run.finished,
        "reason": run.reason, "seen": run.seen, "missing": run.missing, "gap": run.gap, "requests": run.requests,
        "unlisted_since": run.unlisted_since.isoformat() if run.unlisted_since else None, "events": run.events,
    })  # fmt: skip
