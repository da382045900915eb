"""Takes due events from the ledger: locked until the end of the transaction, rows that others hold are skipped."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import QuerySet

from payments.ledger.models import DUE_STATUSES, PaymentEvent


def claim_due(*, at: datetime, limit: int) -> list[PaymentEvent]:
    """Up to `limit` due events, the longest due first. Must be called in a transaction; a killed worker frees them."""
    return list(_open_rows().filter(next_attempt_at__lte=at)[:limit])


def claim_these(event_ids: Collection[int]) -> list[PaymentEvent]:
    """Those of these events that are still open and held by nobody else."""
    return list(_open_rows().filter(pk__in=event_ids))


def _open_rows() -> QuerySet[PaymentEvent]:
    rows = PaymentEvent.objects.filter(status__in=DUE_STATUSES).order_by("next_attempt_at", "pk")
    return rows.select_for_update(skip_locked=True, no_key=True)
