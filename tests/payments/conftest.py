"""What tests of our actions at Stripe may use."""

import pytest

from payments.checkout import open_checkout as checkout
from tests.support.fake_gateway import FakeGateway


@pytest.fixture
def gateway(monkeypatch):
    """Stands where the real gateway does."""
    fake = FakeGateway()
    for name in ("create_checkout_session", "retrieve_checkout_session"):
        monkeypatch.setattr(checkout, name, getattr(fake, name))
    return fake
