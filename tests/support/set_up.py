"""A site that is set up to sell, and of which a test spoils one thing: settings, Stripe's side, our address."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings

from payments.billing.models import Plan
from payments.diagnosis.stripe_answers import LOOK_UPS
from payments.endpoints import drift
from payments.endpoints.wanted import WEBHOOK_PATHS
from payments.handlers.registry import handled_types
from payments.stripe_api import endpoints, lookups
from tests.payments.diagnosis.conftest import make_event
from tests.support.fake_gateway import FakeAccount
from tests.support.fake_stripe import FakeStripe, fake_stripe
from tests.support.shop import open_shop
from tests.support.subscriptions import make_plan

PRICE: dict[str, Any] = {
    "id": "price_1", "unit_amount": 400, "currency": "eur", "active": True,
    "recurring": {"interval": "month", "interval_count": 1},
}  # fmt: skip


@dataclass
class Site:
    """The three sides."""

    settings: Any
    stripe: FakeAccount
    web: FakeStripe

    @property
    def endpoint(self) -> dict[str, Any]:
        return self.stripe.endpoints[0]

    @property
    def price(self) -> dict[str, Any]:
        return self.stripe.prices["price_1"]


def account_for(monkeypatch: pytest.MonkeyPatch) -> FakeAccount:
    """The account's side of Stripe, in the place of every call that asks for it or changes it."""
    stripe = FakeAccount()
    for name in ("look_up_account", "portal_configurations", "webhook_endpoints"):
        monkeypatch.setattr(lookups, name, getattr(stripe, name))
    for name in ("create_endpoint", "update_endpoint", "delete_endpoint"):
        monkeypatch.setattr(endpoints, name, getattr(stripe, name))
    monkeypatch.setattr(drift, "webhook_endpoints", stripe.webhook_endpoints)
    monkeypatch.setattr(lookups, "pages", stripe.pages)
    monkeypatch.setitem(LOOK_UPS, "price", stripe.look_up_price)
    return stripe


def our_endpoint(site: str, **different: Any) -> dict[str, Any]:
    """As it should be, at this site."""
    usual = {
        "id": "we_1", "url": site + WEBHOOK_PATHS[0], "status": "enabled", "metadata": {},
        "enabled_events": handled_types(), "api_version": settings.STRIPE_API_VERSION, "created": 1,
    }  # fmt: skip
    return {**usual, **different}


@contextmanager
def site_in_order(changed: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A plan, its price, one endpoint, an event an hour ago, and a web server that answers as ours does."""
    stripe = account_for(monkeypatch)
    changed.STRIPE_API_BASE = "http://stands.in.for.stripe"
    changed.STRIPE_SECRET_KEY, changed.STRIPE_ALERT_EMAIL = "sk_test_secret_1234", ["staff@example.com"]
    open_shop()
    Plan.objects.all().delete()
    make_plan(price="price_1")
    stripe.prices["price_1"] = {**PRICE}
    make_event(received_at=datetime.now(UTC) - timedelta(hours=1), source="webhook")
    with fake_stripe() as web:
        web.statuses, web.headers = {"GET": 405, "POST": 400}, {"X-Request-ID": "request-1"}
        changed.SITE_URL = web.url
        stripe.endpoints.append(our_endpoint(web.url))
        yield Site(changed, stripe, web)
