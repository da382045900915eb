"""`manage.py incident open|status|close`: switches for when something goes wrong, and the way back from it."""

import json
from argparse import ArgumentTypeError
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.utils import timezone

from config.command_line import require_consent
from payments.incidents.closing import ClosingCutShort, Progress, begin_closing, go_on_closing
from payments.incidents.models import ClosingStep, Incident, IncidentState
from payments.incidents.opening import EndpointsLeft, IncidentRefused, Switches, open_incident
from payments.incidents.report import figures_at, lines, meanwhile
from payments.ledger.models import ALL_TYPES
from payments.management.commands.replay_events import moment

SOURCE = "manage.py incident"
GOES_ON = "The workers go on with it by themselves; `manage.py incident close` tries again at once."


class Command(BaseCommand):
    """Exit code 1: refused, not agreed to, or the closing was cut short; the sentence says why, and what is done."""

    help = (
        "Open an incident (pause sales, hold events back, disable the endpoint at Stripe, tell people), say how it "
        "stands, and close it: what was missed is fetched and processed, then reported. Events are received meanwhile."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        opening = acts.add_parser("open", help="throw the switches; at most one incident is open at a time")
        opening.add_argument("--reason", required=True, help="what is wrong; staff read it on every page")
        opening.add_argument("--by", default=SOURCE, metavar="NAME", help="who answers for it")
        opening.add_argument("--pause-sales", action="store_true", help="answer 503 where one buys")
        held = opening.add_mutually_exclusive_group()
        held.add_argument("--hold-processing", action="store_true", help="set all events aside instead of processing")
        held.add_argument("--hold", nargs="+", default=[], metavar="TYPE", help="set events of these types aside")
        opening.add_argument("--disable-endpoints", action="store_true", help="let Stripe send nothing")
        opening.add_argument("--notify-users", action="store_true", help="write to those whose order waits for payment")
        opening.add_argument("--ends", type=end, metavar="MOMENT", help='expected end: "2026-12-01 18:00", site time')
        opening.add_argument("--yes", action="store_true", help="do not ask")
        status = acts.add_parser("status", help="the incident that is open, or the last one")
        status.add_argument("--json", action="store_true", help="print one JSON object instead of sentences")
        closing = acts.add_parser("close", help="make up for what was missed, then sell again; safe to run again")
        closing.add_argument("--reason", default="", help="why it is over")
        closing.add_argument("--by", default=SOURCE, metavar="NAME", help="who says so")
        closing.add_argument("--yes", action="store_true", help="do not ask")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        acts = {"open": self._open, "status": self._status, "close": self._close}
        try:
            acts[options["act"]](options)
        except IncidentRefused as refusal:
            raise CommandError(str(refusal)) from refusal

    def _open(self, options: dict[str, Any]) -> None:
        hold = (ALL_TYPES,) if options["hold_processing"] else tuple(options["hold"])
        switches = Switches(
            pause_sales=options["pause_sales"], hold=hold, disable_endpoints=options["disable_endpoints"],
            notify_people=options["notify_users"],
        )  # fmt: skip
        for line in _consequences(switches):
            self.stdout.write(f"  {line}")
        require_consent("Open the incident?", sure=options["yes"], otherwise="Nothing was changed.")
        asked = {"reason": options["reason"], "by": options["by"], "ends_at": options["ends"]}
        try:
            incident = open_incident(**asked, switches=switches, at=timezone.now())
        except EndpointsLeft as trouble:
            raise CommandError(
                f"The incident is open, but the endpoints are not all disabled: {trouble} "
                "Disable them with `manage.py stripe_webhooks disable`; closing enables them all the same."
            ) from trouble
        self.stdout.write(f"Incident {incident.pk} is open. `manage.py incident close` ends it.")

    def _status(self, options: dict[str, Any]) -> None:
        incident = Incident.objects.order_by("-pk").first()
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(incident) if incident else None))
        elif incident is None:
            self.stdout.write("No incident is open, and there has been none.")
        else:
            self.stdout.write("\n".join(_as_text(incident)))

    def _close(self, options: dict[str, Any]) -> None:
        if not Incident.objects.filter(closed_at__isnull=True).exists():
            raise CommandError("No incident is open.")
        require_consent("Close the incident?", sure=options["yes"], otherwise="Nothing was changed.")
        incident = begin_closing(reason=options["reason"], by=options["by"], at=timezone.now())
        try:
            go_on_closing(clock=timezone.now, tell=self._tell)
        except ClosingCutShort as trouble:
            raise CommandError(f"Not closed yet: {trouble} {GOES_ON}") from trouble
        incident.refresh_from_db()
        self.stdout.write("\n".join(_as_text(incident)))

    def _tell(self, progress: Progress) -> None:
        """A line for each step and each batch."""
        label = ClosingStep(progress.step).label
        match progress:
            case Progress(step=ClosingStep.BACKFILL, total=total) if total:
                self.stdout.write(f"  {label}: {progress.done} missing among {total}")
            case Progress(total=total) if total:
                self.stdout.write(f"  {label}: {progress.done} of {total}")
            case _:
                self.stdout.write(f"  {label} …")


def end(text: str) -> datetime:
    """From the command line; argparse says what is wrong with any other word."""
    try:
        found = moment(text)
    except ValueError:
        raise ArgumentTypeError(f'{text!r} is no moment such as "2026-12-01 18:00"') from None
    if found <= timezone.now():
        raise ArgumentTypeError(f"{text!r} lies in the past")
    return found


def _consequences(switches: Switches) -> Iterator[str]:
    yield "Events that Stripe sends are received and kept."
    if switches.pause_sales:
        yield "Nothing can be bought; whoever is on Stripe's page can pay and is confirmed."
    if switches.hold:
        held = "All events" if ALL_TYPES in switches.hold else f"Events of type {', '.join(switches.hold)}"
        yield f"{held} are set aside until the incident is closed."
    if switches.disable_endpoints:
        yield "Our endpoints at Stripe are disabled: closing enables them and fetches what they have missed."
    if switches.notify_people:
        yield "People whose order waits for payment get an e-mail now, and another one when it is over."


def _as_text(incident: Incident) -> Iterator[str]:
    at = timezone.now()
    state = IncidentState(incident.state).label
    yield f"Incident {incident.pk}: {state}. {incident.reason}"
    yield f"  opened {_moment(incident.opened_at)} by {incident.opened_by}"
    if incident.ends_at and not incident.is_closed:
        yield f"  expected to end {_moment(incident.ends_at)}{' (over)' if incident.ends_at <= at else ''}"
    for line in _switched(incident):
        yield f"  {line}"
    if incident.state == IncidentState.CLOSING:
        yield f"  closing: {ClosingStep(incident.step).label}, {incident.drained} of {incident.to_drain} processed"
    if incident.trouble:
        yield f"  cut short: {incident.trouble}"
    if incident.closed_at:
        yield f"  closed {_moment(incident.closed_at)} by {incident.closed_by}"
    else:
        incident.report = {"after": figures_at(at=at)}
    yield f"  {'':<38}{'then':>14}{'now':>14}"
    for label, then, now in lines(incident):
        yield f"  {label:<38}{then:>14}{now:>14}"
    for label, number in meanwhile(incident):
        yield f"  {label:<38}{number:>28}"


def _switched(incident: Incident) -> Iterator[str]:
    if incident.pauses_sales:
        yield "sales paused" if not incident.is_selling else "sales were paused"
    if incident.held:
        yield f"held back: {'all events' if incident.holds_all else ', '.join(incident.held)}"
    if incident.endpoints:
        yield f"endpoints disabled: {', '.join(incident.endpoints)}"
    if incident.notifies_people:
        yield "people were told"


def _moment(at: datetime) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}"


def _as_json(incident: Incident) -> dict[str, Any]:
    moments = ("opened_at", "ends_at", "sales_resumed_at", "closing_at", "closed_at")
    told = (
        "reason", "opened_by", "state", "pauses_sales", "held", "endpoints", "notifies_people", "step", "to_drain",
        "drained", "trouble", "closed_by", "closed_reason", "before", "report",
    )  # fmt: skip
    return {
        "incident": incident.pk,
        **{name: getattr(incident, name) for name in told},
        **{name: at.isoformat() if (at := getattr(incident, name)) else None for name in moments},
        "is_selling": incident.is_selling,
        "now": None if incident.is_closed else figures_at(at=timezone.now()),
    }
