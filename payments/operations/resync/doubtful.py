"""Asks Stripe about subscriptions of which our news may be incomplete: contradicted, behind, or silent for too long."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog
from django.db.models import F, Q, QuerySet

from payments.billing.models import Subscription
from payments.guarded import guarded
from payments.operations.resync.resync import Way, resync_subscription
from payments.statuses import SubscriptionStatus

log = structlog.get_logger(__name__)
MOST_A_RUN = 100
# A renewal is told within the hour in which the period ends, and collected an hour later.
PATIENCE = timedelta(hours=2)
GOES_ON = (SubscriptionStatus.ACTIVE, SubscriptionStatus.TRIALING, SubscriptionStatus.PAST_DUE)


@dataclass(slots=True)
class Looked:
    """What one run did: asked about so many, of which so many had changed; `failed`: Stripe did not answer."""

    asked: int = 0
    changed: int = 0
    failed: int = 0


def look_up_doubtful(*, way: Way, limit: int = MOST_A_RUN) -> Looked:
    """Resync them, those that have waited longest first. Whatever goes wrong with one costs only that one."""
    looked = Looked()
    rows = doubtful(at=way.at).order_by("-needs_resync", F("stripe_updated_at").asc(nulls_first=True), "pk")
    for name in rows.values_list("stripe_id", flat=True)[:limit]:
        result = guarded(partial(resync_subscription, name, way=way))
        looked.asked += 1
        if isinstance(result, Exception):
            looked.failed += 1
            log.warning("subscription.not_looked_up", subscription=name, error=str(result))
        else:
            looked.changed += bool(result.changes)
    return looked


def doubtful(*, at: datetime) -> QuerySet[Subscription]:
    """Subscriptions about which only Stripe can tell."""
    is_silent = Q(status__in=GOES_ON, period_end__lt=at - PATIENCE, stripe_updated_at__lt=at - PATIENCE)
    return Subscription.objects.filter(Q(needs_resync=True) | is_silent)
