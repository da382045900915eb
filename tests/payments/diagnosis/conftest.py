"""One registration's order in every state that the runbook knows, as rows: how it came about is told elsewhere."""

from datetime import timedelta
from itertools import count

import pytest

from payments.billing.models import Payment
from payments.effects.models import Effect
from payments.ledger.models import PaymentEvent
from payments.orders.models import CheckoutAttempt, Order, OrderException, Reference
from tests.support.factories import NOON, RegistrationFactory

SESSION = "cs_test_1"
_numbers = count(1)


def make_event(order=None, *, status="PROCESSED", type="checkout.session.completed", **columns):
    """A row of the ledger about the order's session."""
    usual = {
        "stripe_event_id": f"evt_{next(_numbers)}", "object_id": SESSION, "payload": {}, "occurred_at": NOON,
        "received_at": NOON, "next_attempt_at": NOON, "processed_at": NOON, "mentions": [SESSION],
    }  # fmt: skip
    return PaymentEvent.objects.create(order=order, status=status, type=type, **{**usual, **columns})


def make_question(order, kind, **columns):
    return OrderException.objects.create(
        order=order, kind=kind, subject=f"pi_{next(_numbers)}", opened_at=NOON, **columns
    )


def make_effect(order, status, *, kind="registration.confirmed", **columns):
    usual = {"key": f"{kind}:{next(_numbers)}", "not_before": NOON, "created_at": NOON}
    return Effect.objects.create(order=order, kind=kind, status=status, **{**usual, **columns})


@pytest.fixture
def order(db):
    """Waits for payment: its page at Stripe is open for half an hour."""
    row = RegistrationFactory.create(name="Camille Martin", email="camille@example.com").order
    page = {"session": SESSION, "expires_at": NOON + timedelta(minutes=30)}
    CheckoutAttempt.objects.filter(order=row).update(**page)
    Reference.objects.create(name=SESSION, order=row)
    return row


@pytest.fixture
def paid(db):
    """Paid, with a place."""
    row = RegistrationFactory.create(order__status="PAID", email="camille@example.com").order
    CheckoutAttempt.objects.filter(order=row).update(session=SESSION, expires_at=NOON)
    Reference.objects.create(name=SESSION, order=row)
    Payment.objects.create(key="pi_1", order=row, currency="eur", received=4900, paid_at=NOON, session=SESSION)
    make_event(row)
    return Order.objects.get(pk=row.pk)
