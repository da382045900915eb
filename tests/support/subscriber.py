"""Somebody who subscribes on our site: what they do at the Stripe emulator, and what our side hears of it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

from accounts.models import User
from payments.billing.models import Plan
from payments.stripe_api import gateway, lookups
from payments.stripe_api import gateway as billing
from payments.stripe_api.gateway import GatewayUnavailable
from payments.subscribing import subscribe
from tests.support.emulator import official_client
from tests.support.factories import UserFactory
from tests.support.resync import heard
from tests.support.subscriptions import make_plan

PREMIUM: dict[str, Any] = {"name": "Premium", "price": ""}


def make_plans() -> tuple[Plan, Plan]:
    """What is sold from the start, whatever another test has left."""
    Plan.objects.all().delete()
    return make_plan(**PREMIUM), make_plan(slug="yearly", amount=3000, interval="year", **PREMIUM)


def make_user(email: str = "ada@example.com", **fields: Any) -> User:
    """Has confirmed her address and reads English."""
    usual = {"name": "Ada", "language": "en", "email_confirmed_at": datetime.now(UTC)}
    user: User = UserFactory.create(email=email, **{**usual, **fields})
    return user


def pay(url: str, *, method: str = "pm_card_visa") -> None:
    """What the page of Checkout does when its button is pressed; a decline is an answer like another."""
    session = url.rpartition("/")[2]
    with suppress(stripe.CardError):
        official_client().raw_request("post", f"/v1/payment_pages/{session}/confirm", payment_method=method)


def make_subscriber(user: User, plan: Plan) -> str:
    """They have subscribed and paid, and all of it was heard. Returns the subscription's id."""
    pay(subscribe(user=user, plan=plan, at=datetime.now(UTC)))
    heard()
    return str(user.customers.get().subscriptions.get().stripe_id)


@contextmanager
def unreachable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Stripe does not answer."""

    def refuse(_call: object) -> None:
        raise GatewayUnavailable("Stripe is not available at the moment (no answer).")

    with monkeypatch.context() as patched:
        for module in (billing, gateway, lookups):
            patched.setattr(module, "ask", refuse)
        yield


def emulate(monkeypatch: pytest.MonkeyPatch) -> Any:
    """From now on our gateway speaks to the emulator. Returns the official client, for what Stripe's side does."""
    emulator = official_client()
    for name in ("_made", "_made_in_a_hurry"):
        monkeypatch.setattr(gateway, name, lambda key, base: emulator)
    return emulator.v1
