"""What tests of the public pages may use."""

import pytest

from payments.checkout import open_checkout as checkout
from payments.stripe_api import gateway as real_gateway
from payments.stripe_api import lookups
from tests.support.fake_gateway import FakeGateway, unavailable
from tests.support.road import NOON


@pytest.fixture(autouse=True)
def _noon(time_machine):
    time_machine.move_to(NOON, tick=False)


@pytest.fixture(autouse=True)
def _many_tries(settings):
    """The rate limit has tests of its own."""
    settings.STRIPE_RATE_LIMIT_MAX = 1000


@pytest.fixture(autouse=True)
def _tells_nothing(monkeypatch):
    """Stripe does not answer the questions of who comes back from paying."""

    def look_up_session(_session):
        raise unavailable()

    monkeypatch.setattr(lookups, "look_up_session", look_up_session)


@pytest.fixture
def gateway(monkeypatch):
    """Stands where the real gateway does."""
    fake = FakeGateway()
    fake.now = int(NOON.timestamp())
    for name in ("create_checkout_session", "retrieve_checkout_session"):
        monkeypatch.setattr(checkout, name, getattr(fake, name))
        monkeypatch.setattr(real_gateway, name, getattr(fake, name))
    return fake


@pytest.fixture
def visitor(client):
    """A browser that reads English, and has seen a form of ours before."""
    client.cookies["csrftoken"] = "v" * 32
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client
