"""Leads a person to the Checkout of a plan: at most one open payment page, and never to a second subscription.

A Checkout that begins a subscription is an order of kind "plan" (docs/adr/0009-subscriptions.md).
"""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from payments.billing.models import Plan, Subscription
from payments.billing.subscribers import remember_price
from payments.orders.models import Order
from payments.orders.opening import open_order
from payments.purchasing import close_waiting_orders, lead_to_checkout
from payments.statuses import AWAITING_PAYMENT, PLAN
from payments.subscribing.current import SOURCE, ensure_customer, live_of, refresh_live


class AlreadySubscribed(Exception):
    """The person has a subscription: what they want is another plan."""

    def __init__(self, subscription: Subscription) -> None:
        super().__init__(subscription.stripe_id)
        self.subscription = subscription


def subscribe(*, user: User, plan: Plan, at: datetime) -> str:
    """The address at which the person pays for the plan: one address as long as its page is open.

    A page that was open for another plan is closed first. Not to be called inside a transaction. Raises
    AlreadySubscribed, PaymentUnderWay, GatewayUnavailable, GatewayRefused.
    """

    def prepare_order() -> Order | None:
        ensure_customer(user, at=at)
        if live := refresh_live(user, at=at):
            raise AlreadySubscribed(live)
        close_waiting_orders(_orders_of(user).exclude(**_terms_of(plan)), at=at, source=SOURCE)
        return _find_or_open_order(user, plan, at=at)

    return lead_to_checkout(prepare_order, at=at)


@transaction.atomic(durable=True)
def _find_or_open_order(user: User, plan: Plan, *, at: datetime) -> Order | None:
    """The one order that waits, or a new one. None: another tab has begun something meanwhile."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    waiting, terms = _orders_of(user).filter(status__in=AWAITING_PAYMENT), _terms_of(plan)
    if live_of(user).exists() or waiting.exclude(**terms).exists():
        return None
    return waiting.filter(**terms).order_by("pk").first() or _new_order(user, plan, at=at)


def _new_order(user: User, plan: Plan, *, at: datetime) -> Order:
    remember_price(plan)
    order = Order(
        kind=PLAN, user=user, plan=plan, email=user.email, label=plan.name, amount=plan.amount,
        currency=plan.currency, livemode=settings.STRIPE_LIVEMODE, created_at=at,
    )  # fmt: skip
    return open_order(order, names=[], expires_at=None, at=at)


def _orders_of(user: User) -> QuerySet[Order]:
    return Order.objects.filter(user=user, kind=PLAN)


def _terms_of(plan: Plan) -> dict[str, Any]:
    """What was begun before the plan's price changed is something else."""
    return {"plan": plan, "amount": plan.amount, "currency": plan.currency}
