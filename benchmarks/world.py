"""Fills a database with activities, registrations and the events that tell of their payments."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import cycle

from django.conf import settings
from django.db import connection

from payments.ledger.models import PaymentEvent
from payments.ledger.read_event import mentions_of
from payments.orders.models import CheckoutAttempt, Order, Reference
from payments.samples.events import sample_event
from payments.samples.story import CURRENT_SHAPE, Json, SampleSubject
from registrations.models import ORDER_KIND, Activity, Registration

PRICE, CURRENCY = 4900, "eur"
# What Stripe tells of four orders, each in another way; again and again.
STORIES = (
    ("payment_intent.succeeded", "checkout.session.completed"),
    ("payment_intent.payment_failed", "payment_intent.succeeded", "checkout.session.completed"),
    ("checkout.session.expired",),
    ("checkout.session.completed", "charge.refunded"),
)
# So many stories are told at the same time.
SIDE_BY_SIDE = 200
EVENTS_PER_ORDER = sum(map(len, STORIES)) / len(STORIES)


def clear() -> None:
    """Nothing of what orders and events leave behind; their numbers begin again with one."""
    with connection.cursor() as cursor:
        tables = (model._meta.db_table for model in (PaymentEvent, Order, Activity))
        cursor.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE")


def settle() -> None:
    """The planner knows what was written, and none of it is left to write to its place."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        cursor.execute("CHECKPOINT")


def make_registrations(count: int, *, activities: int, at: datetime, prefix: str) -> list[Registration]:
    """So many registrations that wait for payment, spread over the activities, each with a place."""
    shows = Activity.objects.bulk_create(
        Activity(slug=f"{prefix}-{n}", title=f"Activity {n}", price=PRICE, capacity=count, starts_at=at)
        for n in range(activities)
    )
    orders = Order.objects.bulk_create(
        [
            Order(kind=ORDER_KIND, email=f"{prefix}{n}@example.com", amount=PRICE, currency=CURRENCY, created_at=at)
            for n in range(count)
        ],
        batch_size=2000,
    )
    CheckoutAttempt.objects.bulk_create(
        (CheckoutAttempt(order=order, number=1, created_at=at) for order in orders), batch_size=2000
    )
    rows = [
        Registration(
            activity=shows[n % activities],
            order=order,
            name=f"Person {n}",
            email=order.email,
            language="fr",
            holds_place=True,
            created_at=at,
        )
        for n, order in enumerate(orders)
    ]
    Registration.objects.bulk_create(rows, batch_size=2000)
    Reference.objects.bulk_create(_names(rows), batch_size=5000)
    for n, show in enumerate(shows):
        Activity.objects.filter(pk=show.pk).update(places_taken=len(rows[n::activities]))
    return rows


def _names(rows: Sequence[Registration]) -> Iterable[Reference]:
    for row in rows:
        yield Reference(name=f"order:{row.order.public_id}", order=row.order)
        yield Reference(name=f"registration:{row.public_id}", order=row.order)


def mixed_events(rows: Sequence[Registration], *, at: datetime) -> Iterator[Json]:
    """The whole story of each registration; between two events of one order come those of many others."""
    told = list(zip(rows, cycle(STORIES), strict=False))
    for first in range(0, len(told), SIDE_BY_SIDE):
        for chapter in range(max(map(len, STORIES))):
            for row, story in told[first : first + SIDE_BY_SIDE]:
                if chapter < len(story):
                    yield event_about(row, story[chapter], at=at)


def event_about(row: Registration, event_type: str, *, at: datetime) -> Json:
    """One event as Stripe would send it about this registration."""
    subject = SampleSubject(
        order=str(row.order.public_id), registration=str(row.public_id), site=settings.SITE_NAME, attempt=1,
        amount=PRICE, currency=CURRENCY, email=row.email, name=row.name, livemode=settings.STRIPE_LIVEMODE,
    )  # fmt: skip
    return sample_event(event_type, subject=subject, shape=CURRENT_SHAPE, at=at)


def ledger_row(event: Json, *, at: datetime) -> PaymentEvent:
    """The event as the webhook stores it."""
    return PaymentEvent(
        stripe_event_id=event["id"], type=event["type"], api_version=event["api_version"], payload=event,
        body_sha256=sha256(json.dumps(event).encode()).hexdigest(), object_id=event["data"]["object"]["id"],
        livemode=event["livemode"], mentions=mentions_of(event), occurred_at=at, received_at=at,
        next_attempt_at=at - timedelta(seconds=1),
    )  # fmt: skip
