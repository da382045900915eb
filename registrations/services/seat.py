"""Seats people who paid and wait."""

from datetime import datetime

from django.db.models import F

from payments.apply.apply import follow_orders_again
from registrations.models import Registration

MOST_SEATED = 100


def seat_waiting(*, at: datetime) -> int:
    """Seat people who paid and wait, where a place is free: after more places were added. Returns how many."""
    waiting = Registration.objects.filter(waits_since__isnull=False, activity__places_taken__lt=F("activity__capacity"))
    order_ids = list(waiting.order_by("waits_since").values_list("order_id", flat=True)[:MOST_SEATED])
    if not order_ids:
        return 0
    follow_orders_again(order_ids, source="places became free", at=at)
    return Registration.objects.filter(order_id__in=order_ids, holds_place=True).count()
