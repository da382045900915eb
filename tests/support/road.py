"""Puts events on the road as the webhook does, and walks it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from django.conf import settings

from payments.ledger.models import PaymentEvent
from payments.processing.drain import drain
from payments.samples.events import sample_event
from payments.samples.story import CURRENT_SHAPE, Json, SampleSubject, Variation
from registrations.models import Registration

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def subject_of(row: Registration, *, attempt: int = 1, **others: Any) -> SampleSubject:
    """Whom Stripe's events about this registration are about."""
    usual = SampleSubject(
        order=str(row.order.public_id), registration=str(row.public_id), site=settings.SITE_NAME, attempt=attempt,
        amount=row.order.amount, currency=row.order.currency, email=row.email, name=row.name,
        livemode=settings.STRIPE_LIVEMODE,
    )  # fmt: skip
    return replace(usual, **others)


def event_of(
    row: Registration, event_type: str, *, at: datetime = NOON, attempt: int = 1, shape: str = CURRENT_SHAPE,
    subject: dict[str, Any] | None = None, **variation: Any,
) -> Json:  # fmt: skip
    """One event as Stripe would send it about this registration. `variation`: what differs from the usual story."""
    about = subject_of(row, attempt=attempt, **(subject or {}))
    return sample_event(event_type, subject=about, shape=shape, at=at, variation=Variation(**variation))


def ledger_row(event: Json, *, at: datetime, **columns: Any) -> PaymentEvent:
    """The event as the webhook would store it, not saved yet."""
    return PaymentEvent(
        stripe_event_id=event["id"], type=event["type"], livemode=event["livemode"],
        api_version=event["api_version"] or "", payload=event,
        body_sha256=sha256(json.dumps(event).encode()).hexdigest(), object_id=event["data"]["object"].get("id") or "",
        occurred_at=datetime.fromtimestamp(event["created"], tz=UTC), received_at=at,
        **{"next_attempt_at": at, **columns},
    )  # fmt: skip


def keep(*events: Json, at: datetime = NOON) -> list[PaymentEvent]:
    """Store the events as received; one that is known already is known."""
    return PaymentEvent.objects.bulk_create([ledger_row(event, at=at) for event in events], ignore_conflicts=True)


def kept(*events: Json, at: datetime = NOON) -> list[PaymentEvent]:
    """Store the events as received. Returns the rows, in the order given."""
    keep(*events, at=at)
    rows = PaymentEvent.objects.in_bulk([event["id"] for event in events], field_name="stripe_event_id")
    return [rows[event["id"]] for event in events]


def hear(*events: Json, at: datetime = NOON + timedelta(hours=1)) -> list[PaymentEvent]:
    """Store the events and drain the queue. Returns the rows as they are afterwards, in the order given."""
    keep(*events, at=at)
    drain(at=at)
    rows = PaymentEvent.objects.in_bulk([event["id"] for event in events], field_name="stripe_event_id")
    return [rows[event["id"]] for event in events]
