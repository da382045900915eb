"""A browser that reads English, somebody with an account, a module for €49.00, and a Stripe that answers."""

import pytest

from tests.support.factories import NOON
from tests.support.modules import make_learner, make_module
from tests.support.subscriber import emulate


@pytest.fixture(autouse=True)
def stripe_api(db, monkeypatch, settings, time_machine):
    """The gateway's client speaks to the emulator; the rate limit has tests of its own."""
    settings.STRIPE_RATE_LIMIT_MAX = 1000
    time_machine.move_to(NOON, tick=False)
    return emulate(monkeypatch)


@pytest.fixture
def module():
    return make_module(summary="Lines and light", description="In ten lessons.")


@pytest.fixture
def ada():
    return make_learner()


@pytest.fixture
def visitor(client):
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


@pytest.fixture
def browser(visitor, ada):
    """Ada is signed in."""
    visitor.force_login(ada)
    return visitor
