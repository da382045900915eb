"""What goes wrong on a site, as the tables tell it."""

import itertools
from datetime import datetime, timedelta

from payments.alerts.models import Alert
from payments.alerts.watch import watch
from payments.billing.models import Payment
from payments.heartbeats import BEAT, WORKER, note_heartbeat
from payments.ledger.models import PaymentEvent
from payments.orders.models import Order
from payments.statuses import EventStatus

_numbers = itertools.count(1)


def events(count: int, *, at: datetime, status: str = EventStatus.PROCESSED, **columns: object) -> list[PaymentEvent]:
    """So many events that were received at this moment and stand so now."""
    return PaymentEvent.objects.bulk_create(
        PaymentEvent(
            **{
                "stripe_event_id": f"evt_{next(_numbers)}", "type": "product.created", "payload": {},
                "body_sha256": "0" * 64, "occurred_at": at, "received_at": at, "next_attempt_at": at,
                "processed_at": at, "status": status, **columns,
            }
        )
        for _number in range(count)
    )  # fmt: skip


def failed_payments(count: int, *, at: datetime, order: Order | None, **error: str) -> list[PaymentEvent]:
    """Tries to pay that ended with this error ("type", "code")."""
    payload = {"data": {"object": {"last_payment_error": error}}}
    return events(count, at=at, type="payment_intent.payment_failed", payload=payload, order=order)


def payments(count: int, *, at: datetime, order: Order) -> None:
    """So many payments that came at this moment."""
    Payment.objects.bulk_create(
        Payment(order=order, key=f"pi_{next(_numbers)}", received=4900, currency="eur", paid_at=at)
        for _number in range(count)
    )


def everything_lives(*, at: datetime) -> None:
    """A worker and the timetable have just given a sign of life."""
    for name in (WORKER, BEAT):
        note_heartbeat(name, at=at, cpu_percent=10.0)


def watched(*, at: datetime) -> list[str]:
    """Look with every rule. Returns the rules of the alerts that are open afterwards, with their subjects."""
    watch(at=at)
    rows = Alert.objects.filter(closed_at=None).order_by("rule", "subject")
    return [f"{row.rule}:{row.subject}".rstrip(":") for row in rows]


A_MINUTE, AN_HOUR, A_DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
