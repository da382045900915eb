"""`manage.py send_event TYPE`: a truly signed Stripe event about one of our orders, and what it changes."""

from argparse import ArgumentTypeError
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.utils import timezone

from config.command_line import at_least_one
from payments.samples.events import NOT_ABOUT_ORDERS, SAMPLES, sample_event
from payments.samples.send import Baseline, CannotSend, Delivery, EventResult, send, watch
from payments.samples.story import (
    CURRENT_SHAPE,
    SHAPES,
    USUAL_DECLINE,
    Json,
    NoOrder,
    Variation,
    pick_order,
    subject_of,
)
from payments.statuses import EventStatus
from payments.stripe_api.snapshots.reading import MAX_AMOUNT

MAX_WAIT_SECONDS = 3600


def minor_amount(text: str) -> int:
    """So many minor units; argparse says what is wrong with what Stripe could never write."""
    if not text.isdecimal() or len(text) > 15 or int(text) > MAX_AMOUNT:
        raise ArgumentTypeError(f"{text!r} is no number of minor units from 0 up")
    return int(text)


def seconds(text: str) -> float:
    """How long to wait; argparse says what is wrong with any other word."""
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value < MAX_WAIT_SECONDS:
        raise ArgumentTypeError(f"{text!r} is no number of seconds from 0 to {MAX_WAIT_SECONDS}")
    return value


class Command(BaseCommand):
    """Plays Stripe for one event: picks the order, delivers, waits, tells."""

    help = "Deliver a made-up but truly signed Stripe event about one of the orders, and show what it changes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("type", help=f"one of: {', '.join(sorted(SAMPLES))}")
        whose = parser.add_mutually_exclusive_group()
        whose.add_argument("--order", help="number (O-000012), key or public id; else the newest fitting")
        whose.add_argument("--registration", help="public id, or id in the old system")
        parser.add_argument("--shape", choices=SHAPES, default=CURRENT_SHAPE, help="API version of the event")
        parser.add_argument("--times", type=at_least_one, default=1, help="deliver the same event so often")
        parser.add_argument("--url", default=f"{settings.SITE_URL}/stripe/webhooks", help="where to (%(default)s)")
        parser.add_argument("--decline-code", default=USUAL_DECLINE, help="why a card is declined")
        parser.add_argument("--amount", type=minor_amount, help="amount in minor units, else the order's")
        parser.add_argument("--status", default="", help="Stripe's word for a session's payment, refund or dispute")
        parser.add_argument(
            "--number", type=at_least_one, default=1, help="which decline, refund, dispute or warning of the order"
        )
        parser.add_argument("--wait", type=seconds, default=10.0, help="seconds to wait for the outcome")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        at = timezone.now()
        try:
            event, before = self._prepare(options, at=at)
            deliveries = send(event, url=options["url"], times=options["times"], at=at)
        except (NoOrder, CannotSend) as error:
            raise CommandError(str(error)) from error
        self._tell_deliveries(deliveries)
        self._tell_result(watch(event["id"], before=before, seconds=options["wait"]))

    def _prepare(self, options: dict[str, Any], *, at: Any) -> tuple[Json, Baseline]:
        event_type = options["type"]
        if event_type.startswith(NOT_ABOUT_ORDERS):
            raise CommandError("This command is about orders. Subscribe on the site: the Stripe emulator tells of it.")
        if event_type not in SAMPLES:
            raise CommandError(f"There is no sample of {event_type!r}. There are: {', '.join(sorted(SAMPLES))}.")
        order = pick_order(event_type, order=options["order"], registration=options["registration"])
        event = sample_event(
            event_type,
            subject=subject_of(order, registration=options["registration"] or ""),
            shape=options["shape"],
            at=at,
            variation=Variation(
                amount=options["amount"],
                status=options["status"],
                decline_code=options["decline_code"],
                number=options["number"],
            ),
        )
        self.stdout.write(f"{event_type} {event['id']} about {order} ({order.status})")
        return event, Baseline.of(order)

    def _tell_deliveries(self, deliveries: list[Delivery]) -> None:
        for number, delivery in enumerate(deliveries, start=1):
            self.stdout.write(f"delivery {number}: {delivery.status} {delivery.body}")
        if not any(delivery.is_accepted for delivery in deliveries):
            raise CommandError("The server took none of the deliveries: its answers above say why.")

    def _tell_result(self, result: EventResult) -> None:
        if result.event is None:
            raise CommandError("The event is not in this database: does --url belong to a server with another one?")
        if not result.is_decided:
            raise CommandError(
                "The event is stored, but nobody has processed it yet: does the worker run (`make run`)?"
            )
        event = result.event
        waits = f", again at {event.next_attempt_at}" if event.status == EventStatus.FAILED else ""
        self.stdout.write(f"event: {event.status} {event.ignored_reason or event.error}".rstrip() + waits)
        for change in result.attempt.changes if result.attempt else ():
            self.stdout.write(f"  {change['what']}: {change['before'] or '–'} → {change['after'] or '–'}")
        self.stdout.write(f"order {result.order.number}: {result.before.order_status} → {result.order.status}")
        for question in result.questions:
            self.stdout.write(f"question for staff: {question.kind} {question.detail_text}".rstrip())
        self._tell_effects(result)

    def _tell_effects(self, result: EventResult) -> None:
        for effect in result.effects:
            self.stdout.write(f"effect {effect.key}: {effect.status} {effect.outcome}".rstrip())
        if not result.effects:
            self.stdout.write("no new effect (none asked for, or noted before: never twice)")
        elif settings.EMAIL_BACKEND.endswith("mailbox.EmailBackend"):
            self.stdout.write(f"mails are written to {settings.EMAIL_FILE_PATH}")
