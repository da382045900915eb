"""Stripe's list of events, at the emulator; time stands still, since seconds decide here."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from payments.backfill.backfill import BackfillOptions, backfill
from payments.stripe_api.lookups import ThrottledStripe
from stripe_emulator import clock, store
from stripe_emulator.events.emit import emit
from stripe_emulator.objects.account import new_customer
from tests.support.subscriber import emulate

NOW = datetime(2026, 11, 30, 14, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
def emulated(db, monkeypatch):
    with time_machine.travel(NOW, tick=False) as traveller:
        emulate(monkeypatch)
        yield traveller


@pytest.fixture
def happen():
    """`happen(ago=60)`: an event that nobody has delivered, so many seconds old. Returns its id."""
    customer = store.keep(new_customer(clock.real_now()))

    def happen(event_type="customer.updated", *, ago=600):
        event = emit(event_type, customer, at=int(NOW.timestamp()) - ago)
        return event.stripe_id

    return happen


@pytest.fixture
def unhurried():
    """Stripe's door, without pauses between questions."""
    return ThrottledStripe(calls_per_second=1_000_000)


@pytest.fixture
def walk(unhurried):
    """`walk()`: one run as the timetable starts it; `walk(later=timedelta(minutes=10))`."""

    def walk(*, later=timedelta(), **options):
        at = NOW + later
        options = BackfillOptions(by="a test", **{"stripe": unhurried, **options})
        return backfill(options=options, clock=lambda: at)

    return walk
