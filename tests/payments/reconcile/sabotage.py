"""Rows that are not as they were: each in one way, in all the ways that the database lets through."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import F, Model, Q

from payments.billing.models import Dispute, Payment, Refund, Subscription
from payments.orders.models import CheckoutAttempt, Order, Reference
from tests.support.deep import so_many

YEAR = timedelta(days=365)
OF_ORDERS, OF_SUBSCRIPTIONS = Q(order__isnull=False), Q(subscription__isnull=False)
OF_PLANS = Q(order__kind="plan")
# The name of an invoice that has brought nothing comes back with its next event: until then nothing is known by it.
KEYS = Payment.objects.values("key")
PAID, UNPAID = Q(status="PAID"), Q(amount_received=0, kind="registration")


@dataclass(frozen=True)
class Harm:
    """So many rows of these are changed like this (one, where DEEP is not set); None: they are deleted."""

    model: type[Model]
    rows: Q
    changes: dict[str, Any] | None
    times: int

    def candidates(self) -> list[Any]:
        """The rows that it could be done to."""
        return list(self.model._default_manager.filter(self.rows).order_by("pk").values_list("pk", flat=True))

    def do(self, pk: Any) -> None:
        row = self.model._default_manager.filter(pk=pk)
        if self.changes is None:
            row.delete()
        else:
            row.update(**self.changes)


def lost(model: type[Model], rows: Q, times: int) -> Harm:
    return Harm(model, rows, None, times)


def named(prefix: str, owner: Q = OF_ORDERS) -> Q:
    return Q(name__startswith=prefix) & owner


HARMS = (
    Harm(Order, PAID & Q(kind="registration"), {"status": "REFUNDED"}, 4),
    Harm(Order, PAID, {"status": "FAILED"}, 5),
    Harm(Order, PAID, {"status": "PENDING", "paid_at": None, "amount_received": 0, "amount_refunded": 0}, 4),
    Harm(Order, PAID & Q(amount_received__gt=0), {"amount_received": F("amount_received") + 900}, 4),
    Harm(Order, PAID & Q(amount_refunded=0, amount_received__gt=0), {"amount_refunded": 100}, 3),
    Harm(Order, PAID & Q(amount_received__gt=0), {"paid_at": F("paid_at") + YEAR}, 4),
    Harm(Order, Q(status="REFUNDED"), {"status": "PAID"}, 3),
    Harm(Order, Q(status="REFUNDED"), {"amount_refunded": 0}, 3),
    Harm(Order, Q(dispute_state="LOST"), {"dispute_state": ""}, 3),
    Harm(Order, Q(dispute_state="OPEN"), {"dispute_state": "LOST"}, 3),
    Harm(Order, UNPAID, {"status": "PENDING", "attempt_status": "PENDING", "attempt_at": None}, 3),
    Harm(Order, UNPAID, {"status": "PROCESSING", "attempt_status": "PROCESSING"}, 2),
    Harm(Order, UNPAID, {"status": "FAILED"}, 2),
    Harm(Order, ~Q(city=""), {"city": "Atlantis", "country": "AQ"}, 4),
    Harm(CheckoutAttempt, ~Q(session=""), {"session": ""}, 14),
    lost(Payment, OF_ORDERS, 8),
    lost(Payment, OF_SUBSCRIPTIONS, 3),
    Harm(Payment, Q(refunded=0), {"received": F("received") + 900}, 8),
    Harm(Payment, Q(refunded=0, received__gt=300), {"received": F("received") - 300}, 6),
    Harm(Payment, Q(refunded__gt=0), {"refunded": 0}, 5),
    Harm(Payment, OF_ORDERS & Q(refunded=0), {"refunded": 500, "charge_refunded": 500}, 4),
    Harm(Payment, Q(charge_refunded__gt=0), {"charge_refunded": 0}, 4),
    Harm(Payment, OF_ORDERS, {"paid_at": None}, 4),
    Harm(Payment, OF_SUBSCRIPTIONS, {"paid_at": None}, 2),
    Harm(Payment, OF_ORDERS, {"paid_at": F("paid_at") - YEAR}, 3),
    Harm(Payment, ~Q(session=""), {"session": ""}, 4),
    Harm(Payment, ~Q(charge=""), {"charge": "ch_of_nobody"}, 4),
    Harm(Payment, Q(currency="eur"), {"currency": "usd"}, 4),
    Harm(Payment, Q(off_stripe__gt=0), {"off_stripe": 0}, 1),
    lost(Refund, OF_ORDERS, 4),
    lost(Refund, OF_SUBSCRIPTIONS, 1),
    Harm(Refund, Q(status="succeeded"), {"status": "failed"}, 4),
    Harm(Refund, Q(status="succeeded"), {"status": "pending"}, 2),
    Harm(Refund, Q(status="failed"), {"status": "succeeded"}, 1),
    Harm(Refund, Q(), {"amount": F("amount") + 1}, 3),
    Harm(Refund, Q(), {"amount": 1}, 2),
    Harm(Refund, Q(), {"payment": "pi_of_nobody"}, 2),
    lost(Dispute, OF_ORDERS, 3),
    Harm(Dispute, Q(phase=1), {"status": "won", "phase": 2}, 3),
    Harm(Dispute, Q(phase=0), {"phase": 1}, 2),
    Harm(Dispute, Q(phase=0), {"status": "lost", "phase": 1}, 1),
    Harm(Dispute, Q(), {"amount": 1}, 1),
    Harm(Dispute, Q(due_by__isnull=False), {"due_by": None}, 1),
    lost(Reference, named("pi_"), 4),
    lost(Reference, named("ch_") & Q(name__in=Payment.objects.values("charge")), 4),
    lost(Reference, named("cs_"), 5),
    lost(Reference, named("order:"), 4),
    lost(Reference, named("registration:"), 4),
    lost(Reference, named("in_", OF_SUBSCRIPTIONS) & Q(name__in=KEYS), 3),
    lost(Reference, named("pi_", OF_SUBSCRIPTIONS) & Q(payment__in=KEYS), 3),
    lost(Reference, named("sub_", OF_SUBSCRIPTIONS), 2),
    Harm(Reference, named("cs_") & OF_PLANS, {"order_id": F("order_id") - 1}, 2),
    Harm(Reference, named("order:") & OF_PLANS, {"order_id": F("order_id") - 1}, 1),
    Harm(Payment, OF_ORDERS, {"order_id": F("order_id") + 1}, 2),
    Harm(Refund, OF_ORDERS, {"order_id": F("order_id") + 1}, 1),
    Harm(Subscription, Q(cancel_at__isnull=False), {"cancel_at": None}, 1),
    lost(Subscription, Q(status="active", cancel_at=None, refunds=None, disputes=None), 2),
    Harm(Subscription, Q(status="active"), {"status": "canceled"}, 2),
    Harm(Subscription, Q(status="active"), {"status": "past_due"}, 1),
    Harm(Subscription, Q(status="canceled"), {"status": "active", "ended_at": None}, 1),
    Harm(Subscription, Q(status="active"), {"amount": F("amount") + 100}, 1),
    Harm(Subscription, Q(status="active"), {"plan": None}, 1),
    Harm(Subscription, Q(status="active"), {"period_end": F("period_end") + YEAR}, 1),
    Harm(Subscription, Q(status="active"), {"customer": None}, 1),
    Harm(Subscription, Q(status="active", order__isnull=False), {"order": None}, 1),
    Harm(Subscription, Q(status="active"), {"last_paid_at": None, "paid_until": None}, 1),
    Harm(Subscription, Q(status="active"), {"paid_until": F("paid_until") + YEAR}, 1),
)


def sabotage() -> int:
    """Do all of it, each row once. Returns how many rows were harmed."""
    chosen: list[tuple[Harm, Any]] = []
    harmed: set[tuple[type[Model], Any]] = set()
    for harm in HARMS:
        free = [pk for pk in harm.candidates() if (harm.model, pk) not in harmed][: so_many(1, deep=harm.times)]
        assert len(free) == so_many(1, deep=harm.times), f"the world has not enough rows for {harm}"
        harmed |= {(harm.model, pk) for pk in free}
        chosen += [(harm, pk) for pk in free]
    for harm, pk in chosen:
        harm.do(pk)
    return len(harmed)
