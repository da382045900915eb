"""Reminders by date: disputes that must be answered, subscriptions about to end; each once."""

from datetime import datetime, timedelta

from django.db import transaction

from payments.billing.models import Dispute, Subscription
from payments.effects.enqueue import EffectRequest, enqueue
from payments.statuses import DisputePhase

DISPUTE_DUE_ALERT = "alert.dispute_due"
DISPUTE_WARNING_TIME = timedelta(days=3)
# https://docs.stripe.com/api/disputes/object#dispute_object-status; under review means that it has been answered.
UNANSWERED = ("needs_response", "warning_needs_response")


@transaction.atomic
def warn_of_deadlines(*, at: datetime) -> int:
    """Note the alert for every unanswered dispute whose deadline is near. Returns how many are new."""
    rows = Dispute.objects.filter(
        phase=DisputePhase.OPEN, status__in=UNANSWERED, due_by__gt=at, due_by__lte=at + DISPUTE_WARNING_TIME
    ).order_by("pk")
    return len(enqueue([_alert(row) for row in rows], at=at))


def _alert(row: Dispute) -> EffectRequest:
    return EffectRequest(
        key=f"{DISPUTE_DUE_ALERT}:{row.stripe_id}", kind=DISPUTE_DUE_ALERT, order_id=row.order_id,
        subscription_id=row.subscription_id, data={"dispute": row.stripe_id},
    )  # fmt: skip


ENDING_NOTICE_TIME = timedelta(days=3)


@transaction.atomic
def tell_ending_soon(*, at: datetime) -> int:
    """Note the mail for every subscription that ends within three days. Returns how many were told of now."""
    rows = Subscription.objects.live().filter(cancel_at__gt=at, cancel_at__lte=at + ENDING_NOTICE_TIME).order_by("pk")
    effects = [
        EffectRequest(
            key=f"subscription.ending_soon:{row.stripe_id}:{row.cancel_at:%Y-%m-%d}",
            kind="subscription.ending_soon",
            order_id=row.order_id,
            subscription_id=row.pk,
            data={"subscription": row.stripe_id},
        )
        for row in rows
    ]
    return len(enqueue(effects, at=at))
