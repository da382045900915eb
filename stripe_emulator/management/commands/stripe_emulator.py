"""What the emulator's command understands on its command line."""

import re
from argparse import ArgumentTypeError
from dataclasses import fields
from functools import partial
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from stripe_emulator import store, timers
from stripe_emulator.errors import StripeRefusal
from stripe_emulator.events import deliver, endpoints
from stripe_emulator.events.chaos import GREATEST, SWITCHES, Chaos, ChaosRefused
from stripe_emulator.events.payload import OLD_VERSION
from stripe_emulator.events.resend import recent_events, resend, resend_undelivered
from stripe_emulator.management.development import delivery_lines, ensure_endpoint, forget_everything
from stripe_emulator.models import StoredObject

SECONDS_OF_UNIT = {"s": 1, "m": 60, "h": 3600, "d": 24 * 3600}
DURATION = re.compile(r"(?:[0-9]{1,9}[smhd])+", re.ASCII)
SECRET = re.compile(r"whsec_[\x21-\x7e]+", re.ASCII)
QUIET_WITHIN = 60.0
CHAOS_NUMBERS = {
    "--seed": ("seed", "the same seed gives the same sequence"),
    "--duplicates": ("duplicates", "extra copies of every event"),
    "--shuffle": ("shuffle", "window in which events change places"),
    "--delay": ("delay_seconds", "longest delay in seconds"),
    "--drop": ("drop_percent", "percent that is never sent"),
    "--wrong-livemode": ("wrong_livemode_percent", "percent with a twin of live mode, another id"),
    "--other-version": ("other_version_percent", "percent in other shapes"),
    "--slow": ("slow_seconds", "seconds by which answers are late"),
    "--unreachable": ("unreachable_percent", "percent whose first try fails"),
    "--lost-answer": ("lost_answer_percent", "percent whose first answer is lost: sent again"),
}


class Command(BaseCommand):
    """One method for each subcommand."""

    help = "Let time pass at the Stripe emulator, switch chaos on and off, see and repeat deliveries."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="subcommand", required=True)
        advance = commands.add_parser("advance", help="let time pass and do what falls due meanwhile")
        advance.add_argument("seconds", type=_duration, metavar="DURATION", help="31d, 12h, 90m, 10s, 1d12h")
        advance.add_argument("--until-quiet", action="store_true", help="wait until nothing is left to be sent")
        _add_chaos(commands.add_parser("chaos", help="show it, switch it on or off"))
        deliveries = commands.add_parser("deliveries", help="the newest deliveries with their answers")
        deliveries.add_argument("--failed", action="store_true", help="only those that were not accepted so far")
        deliveries.add_argument("--limit", type=partial(_number, least=1), default=20)
        again = commands.add_parser("resend", help="send events again, without chaos")
        what = again.add_mutually_exclusive_group(required=True)
        what.add_argument("event", nargs="?", metavar="evt_…")
        what.add_argument("--undelivered", action="store_true", help="all that were never accepted")
        _add_endpoints(commands)
        reset = commands.add_parser("reset", help="forget everything")
        reset.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.STRIPE_EMULATOR:
            raise CommandError(_("The Stripe emulator is switched off (STRIPE_EMULATOR)."))
        try:
            getattr(self, options["subcommand"])(options)
        except (StripeRefusal, ChaosRefused, timers.TooFar) as refusal:
            raise CommandError(str(refusal)) from refusal

    def advance(self, options: dict[str, Any]) -> None:
        fired = timers.advance(options["seconds"])
        message = ngettext("%d timer has gone off.", "%d timers have gone off.", fired) % fired
        self.stdout.write(message)
        if options["until_quiet"] and not deliver.wait_until_quiet(seconds=QUIET_WITHIN):
            raise CommandError(_("Deliveries are still waiting: does the emulator's process run?"))

    def chaos(self, options: dict[str, Any]) -> None:
        given = {name: options[name] for name in (*GREATEST, *SWITCHES) if options[name] is not None}
        if options["off"] and given:
            raise CommandError(_("--off goes with no other option."))
        if given.keys() == {"seed"}:
            raise CommandError(_("A seed alone switches nothing on: say what is to go wrong."))
        if options["off"] or given:
            Chaos(**given).save()
        running = Chaos.current()
        if not running.is_on:
            self.stdout.write(_("Chaos is off."))
            return
        self.stdout.write(_("Chaos is on since event number %d:") % running.first_event)
        for name in (field.name for field in fields(running) if field.name in options):
            if getattr(running, name):
                self.stdout.write(f"  {name} {getattr(running, name)}")

    def deliveries(self, options: dict[str, Any]) -> None:
        lines = delivery_lines(limit=options["limit"], only_failed=options["failed"])
        for line in lines or [_("There are none.")]:
            self.stdout.write(line)

    def resend(self, options: dict[str, Any]) -> None:
        count = resend_undelivered() if options["undelivered"] else self._resend_one(options["event"])
        message = ngettext("%d delivery is on its way.", "%d deliveries are on their way.", count) % count
        self.stdout.write(message)

    def _resend_one(self, id: str) -> int:
        event = recent_events().filter(stripe_id=id).first()
        if event is None:
            raise CommandError(_("There is no event “%s” of the last 30 days.") % id)
        count = resend(event)
        if not count:
            raise CommandError(_("No enabled endpoint wants %s.") % event.type)
        return count

    def endpoint(self, options: dict[str, Any]) -> None:
        told = {name: options[name] for name in ("name", "secret", "events", "api_version")}
        endpoint, secret = ensure_endpoint(options["url"], **told)
        self.stdout.write(f"{endpoint.stripe_id} {endpoint.data['status']} {endpoint.data['url']}")
        if secret and not options["secret"]:
            self.stdout.write(_("Its secret, shown only now: %s") % secret)

    @transaction.atomic
    def rotate(self, options: dict[str, Any]) -> None:
        hours = options["hours"]
        secret = endpoints.rotate(_endpoint(options), hours=hours)
        self.stdout.write(_("The new secret, shown only now: %s") % secret)
        message = ngettext(
            "The one before is valid for %d hour more.", "The one before is valid for %d hours more.", hours
        )
        self.stdout.write(message % hours if hours else _("The one before is not valid any more."))

    def disable(self, options: dict[str, Any]) -> None:
        self._switch(options, "disabled")

    def enable(self, options: dict[str, Any]) -> None:
        self._switch(options, "enabled")

    @transaction.atomic
    def _switch(self, options: dict[str, Any], status: str) -> None:
        endpoint = _endpoint(options)
        endpoint.change(status=status)
        self.stdout.write(f"{endpoint.stripe_id} {status} {endpoint.data['url']}")

    def reset(self, options: dict[str, Any]) -> None:
        if not options["yes"] and not _is_sure():
            raise CommandError(_("Nothing was changed."))
        forget_everything()
        self.stdout.write(_("Everything is forgotten, the endpoints too."))


def _duration(text: str) -> int:
    """Seconds of "31d", "12h", "90m", "10s" or several of them together."""
    if not DURATION.fullmatch(text):
        raise ArgumentTypeError(_("“%s” is no duration: write 31d, 12h, 90m, 10s or 1d12h") % text)
    return sum(int(part[:-1]) * SECONDS_OF_UNIT[part[-1]] for part in re.findall(r"[0-9]+[smhd]", text))


def _secret(text: str) -> str:
    """A webhook secret in the form of Stripe's."""
    if not SECRET.fullmatch(text):
        raise ArgumentTypeError(_("a secret begins with whsec_ and has no spaces"))
    return text


def _event_types(text: str) -> list[str]:
    """Types of events between commas, or * for all."""
    types = [part.strip() for part in text.split(",")]
    if not all(types):
        raise ArgumentTypeError(_("write event types between commas, or *"))
    return types


def _number(text: str, *, least: int = 0) -> int:
    """A whole number; what it means decides how great it may be."""
    if not re.fullmatch(r"[0-9]{1,18}", text, re.ASCII) or int(text) < least:
        message = _("“%s” is no number from 1 up") if least else _("“%s” is no number from 0 up")
        raise ArgumentTypeError(message % text)
    return int(text)


def _endpoint(options: dict[str, Any]) -> StoredObject:
    """The endpoint that was named, locked. Raises StripeRefusal."""
    return store.get_living("webhook_endpoint", options["id"], lock=True)


def _is_sure() -> bool:
    """What the person at the terminal says; nobody there is no."""
    try:
        answer = input(_("Forget every object, event, delivery and endpoint of the emulator? Type “yes”: "))
    except EOFError:
        return False
    return answer.strip().lower() in ("yes", _("yes"))


def _add_chaos(chaos: CommandParser) -> None:
    chaos.add_argument("--off", action="store_true", help="switch it off")
    for flag, (name, help_text) in CHAOS_NUMBERS.items():
        chaos.add_argument(flag, dest=name, type=_number, metavar="N", help=help_text)
    chaos.add_argument("--same-second", action="store_true", default=None, help="all events of one second")
    chaos.add_argument("--rotation", action="store_true", default=None, help="another secret signs too, first")


def _add_endpoints(commands: Any) -> None:
    endpoint = commands.add_parser("endpoint", help="make or change the endpoint with a URL")
    endpoint.add_argument("--url", required=True)
    endpoint.add_argument("--name", default="", help="known by this, the endpoint moves to the URL")
    endpoint.add_argument("--secret", type=_secret, metavar="whsec_…", help="else a new one is made up")
    endpoint.add_argument("--events", type=_event_types, metavar="a,b|*", help="else all")
    versions = (settings.STRIPE_API_VERSION, OLD_VERSION)
    endpoint.add_argument("--api-version", choices=versions, help="else the account's")
    for name, help_text in (("disable", "send nothing to an endpoint"), ("enable", "send to it again")):
        commands.add_parser(name, help=help_text).add_argument("id", metavar="we_…")
    rotate = commands.add_parser("rotate", help="give an endpoint a new secret")
    rotate.add_argument("id", metavar="we_…")
    rotate.add_argument("--hours", type=_number, default=24, help="so long the old one stays valid")
