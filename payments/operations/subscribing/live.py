"""The subscription that a person has: as we know it, and as Stripe knows it at this moment."""

from datetime import datetime, timedelta

from django.db.models import QuerySet

from accounts.models import User
from payments.apply.apply import apply
from payments.apply.batch import FactSet
from payments.billing.models import Subscription
from payments.billing.subscribers import living_customers
from payments.processing.drain import requeue_naming
from payments.statuses import SUBSCRIPTION_ENDED, SubscriptionStatus
from payments.stripe_api.gateway import Answer
from payments.stripe_api.lookups import look_up_subscription, subscriptions_of
from payments.stripe_api.snapshots import StripeSubscription

SOURCE = "account"
NOT_LIVE = (*SUBSCRIPTION_ENDED, SubscriptionStatus.INCOMPLETE)


class NoSubscription(Exception):
    """The person has none that could be changed."""


def live_of(user: User) -> QuerySet[Subscription]:
    """What the person has, the oldest first: with more than one, that is the one which they act on."""
    rows = Subscription.objects.live().filter(customer__user=user).select_related("plan", "customer")
    return rows.order_by("started_at", "pk")


def get_live(user: User) -> Subscription:
    """The one which they act on. Raises NoSubscription."""
    if row := live_of(user).first():
        return row
    raise NoSubscription(str(user.pk))


def ask_for_live(user: User, *, at: datetime) -> Subscription | None:
    """The same after a look at Stripe, which may know of one whose events have not come, or of an end."""
    own = Subscription.objects.filter(customer__user=user)
    to_ask = set(own.filter(needs_resync=True).values_list("stripe_id", flat=True))
    for customer in living_customers(user.pk):
        told = [StripeSubscription.read(raw) for raw in subscriptions_of(customer.stripe_id)]
        to_ask |= {each.refs.subscription for each in told if each.status not in NOT_LIVE}
    sure = live_of(user).filter(needs_resync=False).values_list("stripe_id", flat=True)
    for name in sorted(to_ask - set(sure)):
        take_in(look_up_subscription(name), at=at)
    return live_of(user).first()


def take_in(answer: Answer, *, at: datetime) -> None:
    """Apply what Stripe has just answered about a subscription; its events find it known.

    Dated by Stripe's clock, and later than all that was known: it was asked after that.
    """
    subscription = StripeSubscription.read(answer.raw)
    name = subscription.refs.subscription
    known = Subscription.objects.filter(stripe_id=name).values_list("stripe_updated_at", flat=True).first()
    said_at = max(answer.said_at, known + timedelta(seconds=1)) if known else answer.said_at
    report = apply([FactSet([subscription.to_fact(at=said_at)], source=SOURCE, occurred_at=said_at)], at=at)
    if error := report.applied[0].error:
        raise error
    requeue_naming(report.new_references, at=at)
