"""Reminders by date: disputes that must be answered, subscriptions about to end; each once."""

from datetime import datetime, timedelta

from django.db import transaction

from payments.billing.models import Dispute, Subscription
from payments.effects.enqueue import EffectRequest, enqueue
from payments.statuses import DISPUTE_UNANSWERED

DISPUTE_DUE_ALERT = "alert.dispute_due"
DISPUTE_WARNING_TIME = timedelta(days=3)


@transaction.atomic
def warn_of_deadlines(*, at: datetime) -> int:
    """Note the alert for every unanswered dispute or inquiry whose deadline is near. Returns how many are new."""
    rows = Dispute.objects.filter(
        status__in=DISPUTE_UNANSWERED, due_by__gt=at, due_by__lte=at + DISPUTE_WARNING_TIME
    ).order_by("pk")
    return len(enqueue([_alert(row) for row in rows], at=at))


def _alert(row: Dispute) -> EffectRequest:
    """One for each deadline: that of a chargeback is another one than that of the inquiry before it."""
    return EffectRequest(
        key=f"{DISPUTE_DUE_ALERT}:{row.stripe_id}:{row.due_by:%Y-%m-%d}", kind=DISPUTE_DUE_ALERT, order_id=row.order_id,
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
