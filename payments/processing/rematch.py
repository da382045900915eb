"""Events that found no order are tried again once a name that they mention becomes known (docs/adr/0003).

Two transactions cannot see each other's look-up. So who finds nothing looks again after its own commit, who teaches
re-queues after its own commit, and the sweep covers a crash in between.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL

from payments.ledger.models import UNMATCHED, PaymentEvent, Trigger
from payments.statuses import EventStatus

LOOK_BACK = timedelta(hours=1)
# Django cannot say `= ANY(array column)`; each name is one look-up by primary key.
NAMES_SOMETHING_KNOWN = RawSQL(
    'EXISTS (SELECT FROM payments_reference r WHERE r.name = ANY(payments_paymentevent."references"))',
    [],
    output_field=BooleanField(),
)


def unmatched() -> QuerySet[PaymentEvent]:
    """Events that were ignored because nothing that they name was known."""
    return PaymentEvent.objects.filter(status=EventStatus.IGNORED, ignored_reason=UNMATCHED)


def requeue_naming(names: Collection[str], *, at: datetime) -> int:
    """Queue the unmatched events again that mention one of these names. Returns how many."""
    return _requeue(unmatched().filter(references__overlap=list(names)), at=at) if names else 0


def requeue_if_known(event_ids: Collection[int], *, at: datetime) -> int:
    """Queue those of these unmatched events again of which a name is known by now. Returns how many."""
    return _requeue(_known(unmatched().filter(pk__in=event_ids)), at=at) if event_ids else 0


def requeue_recent(*, at: datetime) -> int:
    """The same for all that went unmatched lately: what a crash between a commit and its look-up left behind."""
    return _requeue(_known(unmatched().filter(processed_at__gte=at - LOOK_BACK)), at=at)


def _known(events: QuerySet[PaymentEvent]) -> QuerySet[PaymentEvent]:
    return events.filter(NAMES_SOMETHING_KNOWN)


def _requeue(events: QuerySet[PaymentEvent], *, at: datetime) -> int:
    return events.update(status=EventStatus.RECEIVED, ignored_reason="", next_attempt_at=at, trigger=Trigger.REFERENCE)
