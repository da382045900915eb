"""`manage.py resync`: asks Stripe for all of an order, a subscription or a person, and puts right what differs here."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.utils import timezone

from payments.apply.outcome import lines_of
from payments.resync import (
    KeepsMoving,
    Resynced,
    ResyncOptions,
    UnknownName,
    resync_order_called,
    resync_person_called,
    resync_subscription_called,
)
from payments.samples.story import is_made_up
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable
from payments.stripe_api.snapshots import MalformedObject

SOURCE = "manage.py resync"


class Command(BaseCommand):
    """Exit code 1 where Stripe did not answer or something is not known; the other ids are done all the same."""

    help = "Ask Stripe for all of it, show what differs here, and apply it as its events would."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=sorted(KINDS))
        parser.add_argument("ids", nargs="+", metavar="ID", help="O-000001, cs_…, pi_… | sub_… | an e-mail address")
        parser.add_argument("--dry-run", action="store_true", help="only show what differs; change nothing")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of sentences")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        resync_options = ResyncOptions(at=timezone.now(), by=SOURCE, dry_run=options["dry_run"])
        done: list[Resynced] = []
        troubles: dict[str, str] = {}
        for name in dict.fromkeys(options["ids"]):
            try:
                done += KINDS[options["kind"]](name, resync_options)
            except TROUBLES as trouble:
                troubles[name] = str(trouble) or type(trouble).__name__
        tell = _as_json if options["json"] else _as_text
        self.stdout.write(tell(done, troubles, is_dry_run=resync_options.dry_run))
        if troubles:
            raise CommandError("; ".join(f"{name}: {reason}" for name, reason in troubles.items()))


KINDS: dict[str, Callable[[str, ResyncOptions], list[Resynced]]] = {
    "order": lambda name, options: [resync_order_called(name, options=options)],
    "subscription": lambda name, options: [resync_subscription_called(name, options=options)],
    "person": lambda email, options: resync_person_called(email, options=options),
}
TROUBLES = (UnknownName, GatewayUnavailable, GatewayRefused, MalformedObject, KeepsMoving)


def _as_text(done: list[Resynced], troubles: dict[str, str], *, is_dry_run: bool) -> str:
    """What differs comes first: nobody shall take what follows for all of it."""
    ordered = sorted(done, key=lambda each: (not each.changes, not each.missing))
    lines = [line for each in ordered for line in _lines(each)]
    return "\n".join([*lines, *(["Dry run: nothing was changed."] if is_dry_run else [])])


def _lines(each: Resynced) -> list[str]:
    told = [f"  {what}: {before or '–'} → {after or '–'}" for what, before, after in each.changes]
    told += [f"  {line}" for line in lines_of(each.outcome)] if each.outcome else []
    told += [f"  Stripe does not know {name}{_why(name, each.subject)}." for name in each.missing]
    return [each.subject, *(told or [f"  {_nothing(each)}"])]


def _why(name: str, subject: str) -> str:
    return ": a sample event has made it up (send_event)" if is_made_up(name, order_number=subject) else ""


def _nothing(each: Resynced) -> str:
    if each.refusal:
        return f"Left alone: it is none of ours ({each.refusal})."
    if not each.was_asked:
        return "Stripe was not asked: there is no Checkout session and no payment to ask about."
    return "Nothing differs."


def _as_json(done: list[Resynced], troubles: dict[str, str], *, is_dry_run: bool) -> str:
    return json.dumps({"dry_run": is_dry_run, "done": [asdict(each) for each in done], "troubles": troubles})
