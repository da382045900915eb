"""Whoever subscribed before they had an account finds their modules there, once the address is known to be theirs."""

from datetime import datetime

from accounts.hooks import joins
from accounts.models import User
from payments.apply.apply import follow_subscriptions_again
from payments.billing.models import Subscription

SOURCE = "account joined"


@joins
def join_accesses(user: User, at: datetime) -> None:
    """After the customers have joined: payments stands before this app in INSTALLED_APPS."""
    ids = list(Subscription.objects.filter(customer__user=user).values_list("pk", flat=True))
    if ids:
        follow_subscriptions_again(ids, source=SOURCE, at=at)
