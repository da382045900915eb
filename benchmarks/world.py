"""Fills a database with activities, registrations and the events that pay for them."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from django.conf import settings

from payments.ledger.models import PaymentEvent
from payments.orders.models import CheckoutAttempt, Order, Reference
from payments.samples.events import sample_event
from payments.samples.story import CURRENT_SHAPE, Json, SampleSubject
from registrations.models import ORDER_KIND, Activity, Registration

PRICE, CURRENCY = 4900, "eur"


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
        occurred_at=at, received_at=at, next_attempt_at=at - timedelta(seconds=1),
    )  # fmt: skip
