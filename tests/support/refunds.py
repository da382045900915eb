"""Refunds in tests: the gateway without a network, orders with money, and what became of what was asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from unittest.mock import patch

from django.db import transaction

from payments.effects.deliver import deliver_due
from payments.effects.enqueue import enqueue
from payments.effects.models import Effect
from payments.orders.models import Order
from payments.refunds import refund as refunds
from payments.refunds.refund import refund_requests
from registrations.models import Registration
from tests.support.fake_gateway import FakeGateway
from tests.support.road import NOON, event_of, hear

PAID = "checkout.session.completed"
LATER = NOON + timedelta(hours=2)


@contextmanager
def fake_refunds() -> Iterator[FakeGateway]:
    """Stands where the real gateway does."""
    fake = FakeGateway()
    with (
        patch.object(refunds, "create_refund", fake.create_refund),
        patch.object(refunds, "list_refunds", fake.list_refunds),
    ):
        yield fake


def pay(row: Registration, *, payment: str = "", at: datetime = NOON) -> Order:
    """Its order, paid; `payment`: the PaymentIntent, else the usual one."""
    # Another PaymentIntent: as if the buyer had paid twice in the same session.
    hear(event_of(row, "payment_intent.succeeded" if payment else PAID, at=at, subject={"payment_intent": payment}))
    row.refresh_from_db()
    row.order.refresh_from_db()
    return row.order


def ask(order: Order, *, key: str = "test", at: datetime = LATER, **wanted: object) -> list[Effect]:
    """Ask for a refund; the effects that are new."""
    with transaction.atomic():
        requests = refund_requests(owner=order, reason="changed their mind", key=key, at=at, **wanted)  # type: ignore[arg-type]
        keys = enqueue(requests, at=at)
    return list(Effect.objects.filter(key__in=keys).order_by("key"))


def deliver_refunds(*, at: datetime = LATER) -> list[tuple[str, str]]:
    """Deliver every refund that is due, and nothing else. State and outcome of all refunds, the oldest first."""
    Effect.objects.exclude(kind="refund").delete()
    deliver_due(at=at)
    return list(Effect.objects.order_by("pk").values_list("status", "outcome"))
