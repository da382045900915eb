"""Tells people that the end which they asked for comes near, once for each date."""

from datetime import datetime, timedelta

from django.db import transaction

from payments.billing.subscriptions import Subscription
from payments.effects.note import Note, note

AHEAD = timedelta(days=3)


@transaction.atomic
def tell_ending_soon(*, at: datetime) -> int:
    """Note the mail for every subscription that ends within three days. Returns how many were told of now."""
    rows = Subscription.objects.live().filter(cancel_at__gt=at, cancel_at__lte=at + AHEAD).order_by("pk")
    notes = [
        Note(
            key=f"subscription.ending_soon:{row.stripe_id}:{row.cancel_at:%Y-%m-%d}",
            kind="subscription.ending_soon",
            order_id=row.order_id,
            subscription_id=row.pk,
            data={"subscription": row.stripe_id},
        )
        for row in rows
    ]
    return len(note(notes, at=at))
