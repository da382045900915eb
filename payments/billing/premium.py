"""Who has premium access: by the subscription's status, with patience where news or money is late (mission D4).

Nothing is stored: the answer is worked out from what the subscription is at that moment.
"""

from datetime import datetime, timedelta

from django.conf import settings

from accounts.models import User
from payments.billing.subscriptions import Subscription
from payments.statuses import SubscriptionStatus

PAYS = (SubscriptionStatus.ACTIVE, SubscriptionStatus.TRIALING)


def has_premium(user: User, *, at: datetime) -> bool:
    """Whether one of the person's subscriptions gives access at this moment."""
    return any(gives_access(row, at=at) for row in subscriptions_of(user))


def subscriptions_of(user: User) -> list[Subscription]:
    """Those that have begun and have not ended, the newest first."""
    rows = Subscription.objects.live().filter(customer__user=user, plan__isnull=False)
    return list(rows.select_related("plan", "customer").order_by("-started_at", "-pk"))


def gives_access(row: Subscription, *, at: datetime) -> bool:
    """Whether this subscription gives access at this moment."""
    until = access_until(row)
    return until is not None and at < until


def access_until(row: Subscription) -> datetime | None:
    """Until when it gives access as far as we know now; None: it gives none.

    Active or on trial: to the end of the period and SUBSCRIPTION_GRACE_DAYS longer, because a renewal is told late;
    a planned end ends it on its day. Overdue: PAST_DUE_GRACE_DAYS from the beginning of the period that is not paid.
    """
    if row.has_ended or row.period_end is None:
        return None
    if row.status in PAYS:
        until = row.period_end + timedelta(days=settings.SUBSCRIPTION_GRACE_DAYS)
        return min(until, row.cancel_at) if row.cancel_at else until
    if row.status == SubscriptionStatus.PAST_DUE and row.period_start:
        return row.period_start + timedelta(days=settings.PAST_DUE_GRACE_DAYS)
    return None
