"""Two plans, a browser that reads English, somebody with an account, and a Stripe that answers."""

from datetime import UTC, datetime

import pytest
import time_machine

from tests.support.subscriber import emulate, make_plans, make_subscriber, make_user


@pytest.fixture(autouse=True)
def stripe_api(db, monkeypatch, settings):
    """The gateway's client speaks to the emulator; the rate limit has tests of its own."""
    settings.STRIPE_RATE_LIMIT_MAX = 1000
    with time_machine.travel(datetime.now(UTC), tick=False):
        yield emulate(monkeypatch)


@pytest.fixture(autouse=True)
def plans(db):
    """Monthly for €4.00, yearly for €30.00."""
    return make_plans()


@pytest.fixture
def ada():
    return make_user()


@pytest.fixture
def visitor(client):
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


@pytest.fixture
def browser(visitor, ada):
    """Ada is signed in."""
    visitor.force_login(ada)
    return visitor


@pytest.fixture
def subscribed(ada, plans):
    """Ada pays €4.00 a month. The subscription's id."""
    return make_subscriber(ada, plans[0])
