"""Subscribers as our side knows them, without a Stripe behind."""

from datetime import datetime, timedelta
from typing import Any

from accounts.models import User
from payments.billing.models import Customer, Subscription
from tests.support.factories import NOON, UserFactory
from tests.support.subscriptions import make_plan

MONTH = timedelta(days=31)


def make_member(*, at: datetime = NOON, user: User | None = None, **fields: Any) -> Subscription:
    """Somebody with an active subscription to the monthly plan, begun at that moment."""
    person = user or UserFactory.create(email="ada@example.com", name="Ada", language="en", email_confirmed_at=at)
    number = Subscription.objects.count() + 1
    customer = Customer.objects.create(stripe_id=f"cus_{number}", user=person, email=person.email)
    usual = {
        "stripe_id": f"sub_{number}",
        "customer": customer,
        "plan": make_plan(),
        "status": "active",
        "stripe_updated_at": at,
        "amount": 400,
        "currency": "eur",
        "interval": "month",
        "started_at": at,
        "period_start": at,
        "period_end": at + MONTH,
    }
    return Subscription.objects.create(**{**usual, **fields})
