"""Kinds of effects that exist in these tests only."""

import pytest

from payments.effects import deliver as registry


@pytest.fixture
def kinds(monkeypatch):
    """A register of the test's own: what it adds is forgotten afterwards."""
    own = dict(registry._deliverers)
    monkeypatch.setattr(registry, "_deliverers", own)
    return own
