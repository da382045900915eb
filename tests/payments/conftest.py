"""What tests of our actions at Stripe may use."""

import pytest

from payments.checkout import open_checkout as checkout
from payments.effects import deliver as registry
from tests.support.fake_gateway import FakeGateway


@pytest.fixture
def gateway(monkeypatch):
    """Stands where the real gateway does."""
    fake = FakeGateway()
    for name in ("create_checkout_session", "retrieve_checkout_session"):
        monkeypatch.setattr(checkout, name, getattr(fake, name))
    return fake


@pytest.fixture
def kinds(monkeypatch):
    """A register of deliverers of the test's own: what it adds is forgotten afterwards."""
    own = dict(registry._deliverers)
    monkeypatch.setattr(registry, "_deliverers", own)
    return own
