"""Holds an event type back by itself when its events fail in the same way, one after another, whatever they are about.

What fails is tried again for days; a handler that is broken would meanwhile fail for every buyer, fill the log and the
failure groups, and hide what else is wrong. Held back, its events wait untouched until somebody has removed the cause.
Asked only after a batch in which something has failed.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db.models import Max

from payments.ledger.models import HAS_FAILED, AttemptOutcome, EventAttempt, HeldType, PaymentEvent
from payments.names import ORDER

log = structlog.get_logger(__name__)
EQUAL_FAILURES, WITHIN = 20, timedelta(minutes=10)
# One order whose every event fails is that order's trouble; a broken handler fails for several.
FEWEST_SUBJECTS = 3
# Of a group: the newest.
MOST_LOOKED_AT = 200


@dataclass(frozen=True, slots=True)
class _Failure:
    """One event that fails so: what it is about, and the number of its last attempt."""

    type: str
    subject: str
    attempt: int
    error: str


def hold_what_keeps_failing(groups: Collection[str], *, at: datetime) -> list[str]:
    """Hold back the types of these failure groups that have failed too often in a row. Returns the types."""
    if not settings.HOLD_FAILING_TYPES:
        return []
    return [name for group in sorted(groups) if (name := _hold_if_broken(group, at=at))]


def _hold_if_broken(group: str, *, at: datetime) -> str:
    failures = _latest_failures(group, at=at)
    if len(failures) < EQUAL_FAILURES or len({each.subject for each in failures}) < FEWEST_SUBJECTS:
        return ""
    event_type = failures[0].type
    if _has_succeeded(event_type, since=failures[-1].attempt):
        return ""
    reason = f"held by itself: {EQUAL_FAILURES} failures in a row: {failures[0].error}"[:500]
    _row, is_new = HeldType.objects.get_or_create(type=event_type, defaults={"reason": reason, "failure_group": group})
    if not is_new:
        return ""
    log.error("events.held_by_itself", type=event_type, group=group, reason=reason)
    return event_type


def _latest_failures(group: str, *, at: datetime) -> Sequence[_Failure]:
    """The last of the group that failed within the time, the newest first."""
    newest = PaymentEvent.objects.filter(HAS_FAILED, error_group=group).order_by("-occurred_at", "-pk")
    rows = (
        PaymentEvent.objects.filter(pk__in=newest.values("pk")[:MOST_LOOKED_AT])
        .annotate(tried_at=Max("attempt_rows__started_at"), attempt=Max("attempt_rows__pk"))
        .filter(tried_at__gte=at - WITHIN)
        .order_by("-attempt")
        .values_list("type", "order_id", "mentions", "object_id", "attempt", "error")
    )
    return [
        _Failure(event_type, _subject(order_id, mentions, object_id), attempt, error)
        for event_type, order_id, mentions, object_id, attempt, error in rows[:EQUAL_FAILURES]
    ]


def _subject(order_id: int | None, mentions: Sequence[str], object_id: str) -> str:
    """Many objects of one order, refunds perhaps, are one subject."""
    named = next((name for name in mentions if name.startswith(ORDER)), "")
    return named or (str(order_id) if order_id else object_id)


def _has_succeeded(event_type: str, *, since: int) -> bool:
    """Whether another of the type was processed by a later attempt than this one.

    Attempts are numbered as they are made; events are not made in the order in which they are processed: of a long
    queue the newest still wait. At most those of ten minutes are looked through, and all of them only once: then the
    type is held.
    """
    later = EventAttempt.objects.filter(pk__gt=since, event__type=event_type)
    return later.filter(outcome=AttemptOutcome.PROCESSED).exists()
