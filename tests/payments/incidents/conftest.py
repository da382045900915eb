"""An account at Stripe with one endpoint of ours, and a list of events that is empty."""

import pytest

from payments.backfill import backfill as module
from payments.backfill.walk import EventWalk
from tests.support.set_up import account_for, our_endpoint

SITE = "https://shop.example"


@pytest.fixture
def stripe(settings, monkeypatch):
    settings.SITE_URL = SITE
    account = account_for(monkeypatch)
    account.endpoints = [our_endpoint(SITE), {"id": "we_foreign", "url": "https://other.example/hooks"}]
    monkeypatch.setattr(module, "EventWalk", _EmptyWalk)
    return account


class _EmptyWalk(EventWalk):
    """What Stripe lists has its own tests (tests/payments/backfill)."""

    def _ask(self, pages):
        self.requests += 1
        return []
