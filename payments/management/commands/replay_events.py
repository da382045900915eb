"""`manage.py replay_events`: processes kept events again, in the order in which they happened, and says how it went."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from tqdm import tqdm

from config.command_line import at_least_one
from payments.apply.outcome import Outcome
from payments.ledger.models import PaymentEvent
from payments.processing.models import ReplayRun, ReplayState
from payments.processing.replay import MAX_EVENTS_AT_ONCE, ReplayRefused, replay_events
from payments.processing.replay_runs import MAX_EVENTS, Selection, advance_replay, cancel_run, start_run
from payments.statuses import EVENT_FAILING, EventStatus

SOURCE = "manage.py replay_events"
FAILED_AGAIN, WRONG_USE = 1, 2
MAX_LINES = 40


class Command(BaseCommand):
    """Exit code 0: all were processed; 1: some failed again, or it was interrupted; 2: it was not asked for rightly."""

    help = "Replay kept events: those that failed, or the ones that are named. Nothing is sent twice by it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--status", nargs="+", choices=EventStatus.values, default=[], help="else FAILED and DEAD")
        parser.add_argument("--type", nargs="+", default=[], help="checkout.session.completed …")
        parser.add_argument("--since", type=moment, help="received from then on: 2026-11-01 or 2026-11-01T14:00")
        parser.add_argument("--until", type=moment, help="received before that")
        parser.add_argument("--ids", nargs="+", default=[], metavar="evt_…", help="these, in whatever state")
        parser.add_argument("--group", default="", help="the key of a failure group, as its page's address ends")
        parser.add_argument("--limit", type=at_least_one, default=MAX_EVENTS, help="so many, the earliest first")
        parser.add_argument("--keep-going", action="store_true", help="do not stop at the first that fails again")
        parser.add_argument("--dry-run", action="store_true", help="the real thing, rolled back: what would come of it")
        parser.add_argument("--reason", default="", help="kept with each event")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of sentences")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            selection = _selection(options)
            report = _preview(selection, options["limit"]) if options["dry_run"] else _replay(selection, options)
        except ReplayRefused as refusal:
            raise CommandError(str(refusal), returncode=WRONG_USE) from refusal
        self.stdout.write(json.dumps(report) if options["json"] else "\n".join(_as_text(report)))
        if report["failed"] or report["left"]:
            raise CommandError(_trouble(report), returncode=FAILED_AGAIN)


def _selection(options: dict[str, Any]) -> Selection:
    """Raises ReplayRefused for what is not there, or no choice at all."""
    ids = tuple(dict.fromkeys(options["ids"]))
    known = set(PaymentEvent.objects.filter(stripe_event_id__in=ids).values_list("stripe_event_id", flat=True))
    if missing := [name for name in ids if name not in known]:
        raise ReplayRefused(f"No such event here: {', '.join(missing)}")
    return Selection(
        statuses=tuple(options["status"]), types=tuple(options["type"]), since=options["since"],
        until=options["until"], ids=ids, group=options["group"],
    )  # fmt: skip


def _preview(selection: Selection, limit: int) -> dict[str, Any]:
    """What would come of it, a few events at a time, each few rolled back."""
    keys = list(selection.rows().values_list("pk", flat=True)[:limit])
    if not keys:
        raise ReplayRefused("There are no such events.")
    events: list[dict[str, str]] = []
    outcomes: list[Outcome] = []
    with _bar(len(keys)) as bar:
        for start in range(0, len(keys), MAX_EVENTS_AT_ONCE):
            part = keys[start : start + MAX_EVENTS_AT_ONCE]
            found = replay_events(part, by=None, reason="", at=timezone.now(), dry_run=True)
            outcomes.append(found.outcome)
            events += [
                {"event": each.stripe_event_id, "state": each.status, "error": each.error} for each in found.events
            ]
            bar.update(len(part))
    failed = sum(each["state"] in EVENT_FAILING for each in events)
    return {
        "dry_run": True, "total": len(keys), "healed": len(events) - failed, "failed": failed, "left": 0,
        "events": events, **Outcome.of_all(outcomes).as_dict(),
    }  # fmt: skip


def _replay(selection: Selection, options: dict[str, Any]) -> dict[str, Any]:
    """The run in this process; if it is killed, a worker goes on with it."""
    reason = options["reason"] or SOURCE
    run = start_run(
        selection, by=None, reason=reason, at=timezone.now(), limit=options["limit"], source=SOURCE,
        stops_at_error=not options["keep_going"],
    )  # fmt: skip
    with _bar(run.total) as bar:
        try:
            while run.state == ReplayState.RUNNING:
                if advance_replay(at=timezone.now(), only=run) is None:
                    time.sleep(max(0.02, (run.next_batch_at - timezone.now()).total_seconds()))
                run.refresh_from_db()
                bar.update(run.position - bar.n)
        except KeyboardInterrupt:
            run = cancel_run(run, by=None, at=timezone.now())
    return _report(run)


def _report(run: ReplayRun) -> dict[str, Any]:
    event = run.failed_event
    return {
        "dry_run": False, "run": run.pk, "state": run.state, "total": run.total, "healed": run.healed,
        "failed": run.failed, "passed_over": run.passed_over, "left": run.left,
        "failed_event": event.stripe_event_id if event else "", "error": event.error if event else "",
    }  # fmt: skip


@contextmanager
def _bar(total: int) -> Iterator[Any]:
    """Only for somebody who watches a terminal: logs and pipes get none."""
    with tqdm(total=total, unit=" events", file=sys.stderr, disable=not sys.stderr.isatty(), leave=False) as bar:
        yield bar


def _as_text(report: dict[str, Any]) -> Iterator[str]:
    if not report["dry_run"]:
        yield f"{report['healed']} of {report['total']} events were processed again, {report['failed']} failed again."
        if report["passed_over"]:
            yield f"{report['passed_over']} were in a worker's hand at that moment, were purged, or are gone."
        return
    yield f"{report['healed']} of {report['total']} events would be processed, {report['failed']} would fail again."
    for each in report["events"][:MAX_LINES]:
        yield f"  {each['event']}: {each['state']}{': ' + each['error'] if each['error'] else ''}"
    for each in report["changes"][:MAX_LINES]:
        yield f"  {each['subject']}: {each['what']}: {each['before']} → {each['after']}"
    for each in report["effects"][:MAX_LINES]:
        yield f"  {each['words']}: {each['fate']}"
    for each in report["questions"][:MAX_LINES]:
        yield f"  Question {'opens' if each['is_open'] else 'closes'}: {each['words']}"
    if max(len(report[name]) for name in ("events", "changes", "effects", "questions")) > MAX_LINES:
        yield f"  … of each the first {MAX_LINES} are shown; --json has all."
    yield "Dry run: nothing was changed."


def _trouble(report: dict[str, Any]) -> str:
    """What is left to do."""
    if report["dry_run"]:
        return f"{report['failed']} would fail again."
    if report["state"] == ReplayState.CANCELED:
        return f"Interrupted: {report['left']} are left. Run it again for the rest."
    if report["left"]:
        return f"Stopped at {report['failed_event']}: {report['error']} ({report['left']} left; --keep-going)"
    return f"{report['failed']} failed again, at last {report['failed_event']}: {report['error']}"


def moment(text: str) -> datetime:
    """A day or a moment, in the site's time zone where it names none. Raises ValueError."""
    found = parse_datetime(f"{text}T00:00" if parse_date(text) else text)
    if found is None:
        raise ValueError(text)
    return found if found.tzinfo else timezone.make_aware(found)
