"""Ledger rows that wait for a worker, of a type that needs no order to be done with."""

import uuid

from django.db import connection
from django.utils import timezone

from payments.bell import CHANNEL
from payments.ledger.models import PaymentEvent
from payments.statuses import EventStatus

UNHANDLED_TYPE = "product.created"


def waiting_events(count: int = 1) -> list[PaymentEvent]:
    """Events as the webhook leaves them: received, due now. Nobody is told about them."""
    now = timezone.now()
    return PaymentEvent.objects.bulk_create(
        PaymentEvent(
            stripe_event_id=f"evt_{uuid.uuid4().hex}",
            type=UNHANDLED_TYPE,
            payload={"data": {"object": {"id": "prod_1", "object": "product"}}},
            body_sha256="0" * 64,
            occurred_at=now,
            received_at=now,
            next_attempt_at=now,
        )
        for _ in range(count)
    )


def ring_bell() -> None:
    """One ring, heard when this returns; the real bell (payments/bell.py) may take a moment."""
    with connection.cursor() as cursor:
        cursor.execute(f"NOTIFY {CHANNEL}")


def is_all_done() -> bool:
    """Whether no event waits any more."""
    return not PaymentEvent.objects.filter(status=EventStatus.RECEIVED).exists()
