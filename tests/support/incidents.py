"""Incidents, opened and closed as the command does it."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from payments.backfill import backfill as module
from payments.backfill.walk import EventWalk
from payments.incidents.closing import begin_closing, go_on_closing
from payments.incidents.models import Incident
from payments.incidents.opening import Switches, open_incident
from payments.stripe_api.lookups import ThrottledStripe
from tests.support.fake_gateway import FakeAccount
from tests.support.road import NOON
from tests.support.set_up import account_for, our_endpoint

REASON = "Orders stay unpaid"
SITE = "https://shop.example"


def account_with_endpoint(settings: Any, monkeypatch: pytest.MonkeyPatch) -> FakeAccount:
    """Beside ours one of another site; Stripe lists no event."""
    settings.SITE_URL = SITE
    account = account_for(monkeypatch)
    account.endpoints = [our_endpoint(SITE), {"id": "we_foreign", "url": "https://other.example/hooks"}]
    monkeypatch.setattr(module, "EventWalk", _EmptyWalk)
    return account


class _EmptyWalk(EventWalk):
    """What Stripe lists has its own tests (tests/payments/backfill)."""

    def _ask(self, pages: Any) -> list[Any]:
        self.requests += 1
        return []


def opened(*, at: datetime = NOON, ends_in: timedelta | None = None, **switches: object) -> Incident:
    """One that is open, with these switches (`pause_sales=True`, `hold=("*",)`, …)."""
    ends_at = at + ends_in if ends_in else None
    asked = Switches(**switches)  # type: ignore[arg-type]
    return open_incident(reason=REASON, by="ada", switches=asked, ends_at=ends_at, at=at)


def closed(*, at: datetime) -> Incident:
    """The open one, closed in one go."""
    incident = begin_closing(reason="repaired", by="grace", at=at)
    go_on_closing(clock=lambda: at, stripe=ThrottledStripe(calls_per_second=1_000_000))
    incident.refresh_from_db()
    return incident
