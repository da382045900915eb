"""A world at the Stripe emulator that our side has heard all about."""

from datetime import UTC, datetime

import pytest
import time_machine

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
def options():
    """`options()`, or `options(dry_run=True)`: without pauses between the questions."""

    def make(**fields):
        return ResyncOptions(at=datetime.now(UTC), stripe=ThrottledStripe(calls_per_second=1_000_000), **fields)

    return make


@pytest.fixture
def life():
    """Somebody with two plans to choose from."""
    return Life()
