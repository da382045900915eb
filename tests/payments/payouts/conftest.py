"""Stripe's balance, by the emulator or in memory, and a walk that reads it without pauses."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from payments.billing.models import Payment
from payments.orders.models import OrderException
from payments.payouts.walk import read_payouts
from payments.statuses import ExceptionKind
from payments.stripe_api.lookups import ThrottledStripe
from tests.support.balance import balance_for
from tests.support.factories import OrderFactory
from tests.support.road import NOON
from tests.support.subscriber import emulate

# When everything in memory has happened, and is not old yet.
LATER = NOON + timedelta(days=3)


@pytest.fixture
def stripe_api(db, monkeypatch):
    """The official client at the emulator, to which our gateway speaks too; time stands still."""
    with time_machine.travel(datetime.now(UTC), tick=False):
        yield emulate(monkeypatch)


@pytest.fixture
def stripe(db, monkeypatch):
    """Stripe's balance in memory."""
    return balance_for(monkeypatch)


@pytest.fixture
def payment(db):
    """49.00, known here as pi_1."""
    order = OrderFactory(status="PAID", amount=4900, amount_received=4900, paid_at=NOON)
    return Payment.objects.create(key="pi_1", order=order, charge="ch_1", received=4900, currency="eur", paid_at=NOON)


@pytest.fixture
def read(db):
    """`read()`, or `read(at=…)`: a walk at that moment."""

    def read(*, at=LATER, **options):
        return read_payouts(clock=lambda: at, stripe=ThrottledStripe(calls_per_second=1_000_000), **options)

    return read


@pytest.fixture
def asked(db):
    """The questions about payouts that are open, each as English sentence with its amounts."""

    def asked():
        rows = OrderException.objects.filter(kind=ExceptionKind.PAYOUT_MISMATCH, is_open=True)
        return [row.detail_text for row in rows.order_by("subject")]

    return asked
