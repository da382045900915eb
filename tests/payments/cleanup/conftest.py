"""A registration's order, and a Stripe in the mood that a test gives it."""

import pytest

from tests.support.stripe_moods import stand_in


@pytest.fixture
def stripe(monkeypatch):
    return stand_in(monkeypatch)


@pytest.fixture
def order(registration):
    return registration.order
