"""What tests of incidents may use."""

import pytest

from tests.support.incidents import account_with_endpoint


@pytest.fixture
def stripe(settings, monkeypatch):
    """An account with one endpoint of ours, and a list of events that is empty."""
    return account_with_endpoint(settings, monkeypatch)
