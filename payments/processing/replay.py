"""Sends kept events down the road once more: safe at any time, because facts fold and effects have keys."""

from datetime import datetime
from typing import Any

import structlog
from django.db import transaction
from django.utils.translation import gettext as _

from payments.bell import ring_on_commit
from payments.ledger.models import HeldType, PaymentEvent, Trigger
from payments.statuses import EventStatus

log = structlog.get_logger(__name__)


class ReplayRefused(ValueError):
    """The event cannot be replayed as asked; the text says why."""


@transaction.atomic
def replay_event(*, event: PaymentEvent, by: Any, reason: str, at: datetime) -> None:
    """Queue the event again at once. Raises ReplayRefused without a reason, or while a worker has it in hand."""
    if not reason.strip():
        raise ReplayRefused(_("A replay needs a reason."))
    locked = PaymentEvent.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=event.pk)
    row = locked.only("pk").first()
    if row is None:
        raise ReplayRefused(_("%(event)s is being processed at this moment.") % {"event": event.stripe_event_id})
    PaymentEvent.objects.filter(pk=row.pk).update(
        status=EventStatus.RECEIVED, ignored_reason="", next_attempt_at=at, trigger=Trigger.REPLAY, requested_by=by,
        requested_reason=reason.strip()[:500],
    )  # fmt: skip
    log.info("event.replay", stripe_event=event.stripe_event_id, by=getattr(by, "pk", None), reason=reason)
    ring_on_commit()


@transaction.atomic
def release_held(*, type: str, by: Any, at: datetime) -> int:
    """Stop holding events of this type back and queue those that were set aside. Returns how many."""
    HeldType.objects.filter(pk=type).delete()
    rows = PaymentEvent.objects.filter(status=EventStatus.HELD, type=type)
    count = rows.update(
        status=EventStatus.RECEIVED,
        next_attempt_at=at,
        trigger=Trigger.DRAIN,
        requested_by=by,
        requested_reason="",
    )
    log.info("events.released", type=type, count=count, by=getattr(by, "pk", None))
    ring_on_commit()
    return count
