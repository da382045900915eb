"""`manage.py resync`: asks Stripe for all of an order, a subscription or a person, and puts right what differs here."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from payments.orders.models import Order
from payments.resync import (
    KeepsMoving,
    Resynced,
    ResyncOptions,
    resync_order,
    resync_person,
    resync_subscription,
)
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


class UnknownName(LookupError):
    """Nothing here goes by that name."""


def _order(name: str, options: ResyncOptions) -> list[Resynced]:
    """By its number, or by any name under which its events find it."""
    order = Order.objects.called(name).first()
    if order is None:
        raise UnknownName("no order goes by that name")
    return [resync_order(order, options=options)]


def _subscription(name: str, options: ResyncOptions) -> list[Resynced]:
    if not name.startswith("sub_"):
        raise UnknownName("a subscription is named sub_…")
    return [resync_subscription(name, options=options)]


def _person(email: str, options: ResyncOptions) -> list[Resynced]:
    done = resync_person(email, options=options)
    if not done:
        raise UnknownName("nobody here has that address")
    return done


KINDS: dict[str, Callable[[str, ResyncOptions], list[Resynced]]] = {
    "order": _order, "subscription": _subscription, "person": _person,
}  # fmt: skip
TROUBLES = (UnknownName, GatewayUnavailable, GatewayRefused, MalformedObject, KeepsMoving)


def _as_text(done: list[Resynced], troubles: dict[str, str], *, is_dry_run: bool) -> str:
    lines = [line for each in done for line in _lines(each)]
    return "\n".join([*lines, *(["Dry run: nothing was changed."] if is_dry_run else [])])


def _lines(each: Resynced) -> list[str]:
    told = [f"  {what}: {before or '–'} → {after or '–'}" for what, before, after in each.changes]
    told += [f"  Stripe does not know {name}." for name in each.missing]
    return [each.subject, *(told or ["  Nothing differs."])]


def _as_json(done: list[Resynced], troubles: dict[str, str], *, is_dry_run: bool) -> str:
    return json.dumps({"dry_run": is_dry_run, "done": [asdict(each) for each in done], "troubles": troubles})
