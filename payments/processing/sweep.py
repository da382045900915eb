"""The net below everything: what a crash between two commits left behind is queued again."""

from datetime import datetime

import structlog

from payments.ledger.models import PaymentEvent, Trigger
from payments.processing.rematch import requeue_recent
from payments.statuses import EventStatus
from payments.switches import held_types

log = structlog.get_logger(__name__)


def sweep(*, at: datetime) -> int:
    """Queue again: unmatched events whose names are known by now, and events held for a type that no longer is."""
    rematched = requeue_recent(at=at)
    stranded = PaymentEvent.objects.filter(status=EventStatus.HELD).exclude(type__in=held_types())
    released = stranded.update(status=EventStatus.RECEIVED, next_attempt_at=at, trigger=Trigger.DRAIN)
    if rematched or released:
        log.info("sweep.queued", rematched=rematched, released=released)
    return rematched + released
