"""Ends the time for which places are held, so that the clean-up takes them at its next run."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Exists, OuterRef

from payments.orders.models import CheckoutAttempt
from registrations.models import Registration


def end_holds(rows: Sequence[Registration], *, at: datetime) -> None:
    """From now on nobody is waited for. In a transaction that has locked the orders, which wait for payment."""
    Registration.objects.filter(pk__in=[row.pk for row in rows], holds_place=True).update(held_until=at)
    later = CheckoutAttempt.objects.filter(order=OuterRef("order"), number__gt=OuterRef("number"))
    newest = CheckoutAttempt.objects.filter(order_id__in=[row.order_id for row in rows]).exclude(Exists(later))
    newest.update(expires_at=at)
