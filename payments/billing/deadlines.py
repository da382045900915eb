"""Tells staff that a dispute must be answered soon: once for each dispute."""

from datetime import datetime, timedelta

from django.db import transaction

from payments.billing.models import Dispute
from payments.effects.note import Note, note
from payments.statuses import DisputePhase

KIND = "alert.dispute_due"
AHEAD = timedelta(days=3)
# https://docs.stripe.com/api/disputes/object#dispute_object-status; under review means that it has been answered.
UNANSWERED = ("needs_response", "warning_needs_response")


@transaction.atomic
def warn_of_deadlines(*, at: datetime) -> int:
    """Note the alert for every unanswered dispute whose deadline is near. Returns how many are new."""
    rows = Dispute.objects.filter(
        phase=DisputePhase.OPEN, status__in=UNANSWERED, due_by__gt=at, due_by__lte=at + AHEAD
    ).order_by("pk")
    return len(note([_alert(row) for row in rows], at=at))


def _alert(row: Dispute) -> Note:
    return Note(
        key=f"{KIND}:{row.stripe_id}", kind=KIND, order_id=row.order_id, subscription_id=row.subscription_id,
        data={"dispute": row.stripe_id},
    )  # fmt: skip
