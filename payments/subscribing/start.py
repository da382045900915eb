"""Leads a person to the Checkout of a plan: at most one open payment page, and never to a second subscription.

A Checkout that begins a subscription is an order of kind "plan" (docs/adr/0009-subscriptions.md).
"""

from datetime import datetime
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from payments.billing.models import Plan, Subscription
from payments.checkout.attempts import OrderNotPayable
from payments.checkout.open_checkout import open_checkout
from payments.cleanup.decide import close_unless_paid
from payments.orders.models import Order
from payments.orders.opening import open_order
from payments.statuses import AWAITING_PAYMENT, PLAN
from payments.subscribing.current import SOURCE, ensure_customer, live_of, refresh_live

log = structlog.get_logger(__name__)
# Each attempt ends because something of the same person was decided elsewhere at that very moment.
MAX_ATTEMPTS = 3


class AlreadySubscribed(Exception):
    """The person has a subscription: what they want is another plan."""

    def __init__(self, subscription: Subscription) -> None:
        super().__init__(subscription.stripe_id)
        self.subscription = subscription


class NotNow(Exception):
    """A payment of the same person is under way; the text says so."""


def subscribe(*, user: User, plan: Plan, at: datetime) -> str:
    """The address at which the person pays for the plan: one address as long as its page is open.

    Raises AlreadySubscribed, NotNow. A page that was open for another plan is closed first.
    """
    for _attempt in range(MAX_ATTEMPTS):
        customer = ensure_customer(user, at=at)
        if live := refresh_live(user, at=at):
            raise AlreadySubscribed(live)
        for other in _waiting(user).exclude(**_terms_of(plan)).order_by("pk"):
            if not close_unless_paid(order_id=other.pk, at=at, source=SOURCE):
                raise NotNow(_("A payment of yours is under way. Please look again in a minute."))
        order = _take_order(user, plan, at=at)
        if url := _open(order, at=at):
            log.info("subscription.checkout", user=user.pk, plan=plan.slug, customer=customer.stripe_id)
            return url
    raise NotNow(_("A payment of yours is under way. Please look again in a minute."))


def _open(order: Order | None, *, at: datetime) -> str:
    """ "" where it was paid or closed a moment ago: the next attempt finds out."""
    if order is None:
        return ""
    try:
        return open_checkout(order_id=order.pk, at=at).url
    except OrderNotPayable as reason:
        log.info("subscription.not_payable", order=order.pk, reason=str(reason))
        return ""


@transaction.atomic(durable=True)
def _take_order(user: User, plan: Plan, *, at: datetime) -> Order | None:
    """The one order that waits, or a new one. None: another tab has begun something meanwhile."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if live_of(user).exists() or _waiting(user).exclude(**_terms_of(plan)).exists():
        return None
    if waits := _waiting(user).filter(**_terms_of(plan)).order_by("pk").first():
        return waits
    order = Order(
        kind=PLAN, user=user, plan=plan, email=user.email, label=plan.name, amount=plan.amount,
        currency=plan.currency, livemode=settings.STRIPE_LIVEMODE, created_at=at,
    )  # fmt: skip
    return open_order(order, names=[], expires_at=None, at=at)


def _waiting(user: User) -> QuerySet[Order]:
    return Order.objects.filter(user=user, kind=PLAN, status__in=AWAITING_PAYMENT)


def _terms_of(plan: Plan) -> dict[str, Any]:
    """What was begun before the plan's price changed is something else."""
    return {"plan": plan, "amount": plan.amount, "currency": plan.currency}
