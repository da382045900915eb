"""A world at the Stripe emulator that our side has heard all about."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from payments.reconcile.reconcile import reconcile
from payments.reconcile.window import Window
from payments.resync import ResyncOptions
from payments.stripe_api.lookups import ThrottledStripe
from tests.properties.memberships.life import Life
from tests.support.subscriber import emulate


@pytest.fixture(autouse=True)
def emulated(db, monkeypatch):
    """The gateway's client speaks to the emulator, and time stands still: seconds decide here."""
    emulate(monkeypatch)
    with time_machine.travel(datetime.now(UTC), tick=False):
        yield


@pytest.fixture
def life():
    """Somebody who may subscribe."""
    return Life()


@pytest.fixture
def run():
    """`run()`, or `run(dry_run=True)`: over all that ever happened, years later, without pauses between questions."""

    def run(*, window=None, **fields):
        now = datetime.now(UTC)
        later = now + timedelta(days=2000)
        options = ResyncOptions(at=later, by="a test", stripe=ThrottledStripe(calls_per_second=1_000_000), **fields)
        with time_machine.travel(later, tick=False):
            span = window or Window(now - timedelta(days=400), later)
            return reconcile(window=span, options=options, clock=lambda: datetime.now(UTC))

    return run
