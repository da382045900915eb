"""`manage.py reconcile`: compares what Stripe has with what is here, both ways, and puts right what differs."""

import json
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from payments.reconcile.models import Done, ReconcileRun, label_of
from payments.reconcile.reconcile import AlreadyRunning, reconcile
from payments.reconcile.window import Window, next_window
from payments.resync import ResyncOptions
from payments.samples.story import is_made_up

SOURCE = "manage.py reconcile"
MAX_DAYS = 3650


class Command(BaseCommand):
    """Exit code 1: another run is under way, or Stripe did not answer or refused: the rest is for the next run."""

    help = (
        "Compare Stripe with what is here, both ways; put right what differs, and ask staff where that is not possible."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        begin = parser.add_mutually_exclusive_group()
        begin.add_argument(
            "--since", metavar="DATE", help="2026-11-01 or 2026-11-01T14:00; usually: since the last run"
        )
        begin.add_argument("--days", type=int, metavar="N", help="the last N days")
        parser.add_argument("--until", metavar="DATE", help="usually: now")
        parser.add_argument("--dry-run", action="store_true", help="only show what differs; change nothing")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of sentences")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        window = _window(options, at=timezone.now())
        resync_options = ResyncOptions(at=timezone.now(), by=SOURCE, dry_run=options["dry_run"])
        try:
            run = reconcile(window=window, options=resync_options, clock=timezone.now)
        except AlreadyRunning as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(_as_json(run) if options["json"] else _as_text(run))
        if run.finished_at is None:
            raise CommandError(f"Not finished: {run.error}")


def _window(options: dict[str, Any], *, at: datetime) -> Window:
    """What was asked for; without a word, what the last run has left."""
    usual = next_window(at=at)
    if options["since"] is None and options["days"] is None and options["until"] is None:
        return usual
    until = at if options["until"] is None else _moment(options["until"], "--until")
    since = usual.since if options["since"] is None else _moment(options["since"], "--since")
    if options["days"] is not None:
        if not 1 <= options["days"] <= MAX_DAYS:
            raise CommandError(f"--days: a number from 1 to {MAX_DAYS}.")
        try:
            since = until - timedelta(days=options["days"])
        except OverflowError:
            raise CommandError(f"--days: there are no {options['days']} days before {until:%Y-%m-%d}.") from None
    if until > at:
        raise CommandError("--until lies in the future: nothing can be complete up to then.")
    if since >= until:
        raise CommandError("The window is empty: it ends before it begins.")
    return Window(since, until)


def _moment(text: str, name: str) -> datetime:
    """A day begins at midnight; what names no zone is in the site's."""
    try:
        moment = parse_datetime(text)
        if moment is None and (day := parse_date(text)):
            moment = datetime.combine(day, datetime.min.time())
    except ValueError:
        moment = None
    if moment is None:
        raise CommandError(f"{name}: {text!r} is no date such as 2026-11-01 or 2026-11-01T14:00.")
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)


def _as_text(run: ReconcileRun) -> str:
    lines = [run.sentence, *map(_line, run.findings)]
    if run.counts["findings"] > len(run.findings):
        lines.append(f"  … and {run.counts['findings'] - len(run.findings)} more")
    return "\n".join([*lines, *(["Dry run: nothing was changed."] if run.is_dry_run else [])])


def _line(finding: dict[str, str]) -> str:
    subject, done = finding["subject"], finding["done"]
    if done == Done.NOT_CHECKED:
        return f"  {label_of(subject)}: {done}" + (f" ({finding['at_stripe']})" if finding["at_stripe"] else "")
    why = ", made up by a sample event" if is_made_up(finding["what"], order_number=subject) else ""
    return f"  {subject}  {finding['what']}: {finding['here'] or '–'} → {finding['at_stripe'] or '–'}  ({done}{why})"


def _as_json(run: ReconcileRun) -> str:
    return json.dumps({
        "since": run.since.isoformat(), "until": run.until.isoformat(), "dry_run": run.is_dry_run,
        "finished": run.finished_at is not None, "error": run.error, "not_checked": run.not_checked,
        "counts": run.counts, "findings": run.findings,
    })  # fmt: skip
