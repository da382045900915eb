"""Two plans, somebody with an account, and a Stripe that answers."""

from datetime import UTC, datetime

import pytest
import time_machine

from tests.support.subscriber import emulate, make_plans, make_subscriber, make_user


@pytest.fixture(autouse=True)
def stripe_api(db, monkeypatch):
    """The gateway's client speaks to the emulator, and time stands still: seconds decide here."""
    with time_machine.travel(datetime.now(UTC), tick=False):
        yield emulate(monkeypatch)


@pytest.fixture(autouse=True)
def plans(db):
    """Monthly for €4.00, yearly for €30.00; neither has a price at Stripe."""
    return make_plans()


@pytest.fixture
def monthly(plans):
    return plans[0]


@pytest.fixture
def yearly(plans):
    return plans[1]


@pytest.fixture
def ada():
    return make_user()


@pytest.fixture
def subscribed(ada, monthly):
    """Ada pays €4.00 a month. The subscription's id."""
    return make_subscriber(ada, monthly)
