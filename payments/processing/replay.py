"""Sends kept events down the road once more, for good or as a preview: one function, and one transaction.

Safe at any time, because facts fold and effects have keys. Many events are replayed by a run (`replay_runs`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.db.models.functions import Least
from django.utils.translation import gettext as _

from payments.apply.outcome import Outcome, fingerprint_of, outcome_of
from payments.bell import ring_on_commit
from payments.ledger.models import ALL_TYPES, PURGED_AT, HeldType, PaymentEvent, Trigger
from payments.ledger.record import claim_these, no_longer_held
from payments.processing.drain import is_passing, look_again, process_claimed
from payments.processing.process import BatchProgress
from payments.sql import kept_or_untold, watching
from payments.statuses import EVENT_FAILING, EventStatus

log = structlog.get_logger(__name__)
REASON_MAX_LENGTH = 500
# What is shown at once, and what somebody waits for: nobody reads more, and no lock is held for longer.
MAX_EVENTS_AT_ONCE = 20
LOCK_TIMEOUT, STATEMENT_TIMEOUT = "3s", "20s"


class ReplayRefused(ValueError):
    """The events cannot be replayed as asked; the text says why. Nothing has happened."""


class ReplayMoved(RuntimeError):
    """A replay would do something else than what was shown. Nothing has happened."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """The events as they are afterwards (without payload), in the order in which they happened, and what came of it."""

    events: Sequence[PaymentEvent]
    outcome: Outcome

    @property
    def failed(self) -> list[PaymentEvent]:
        """Those that failed again."""
        return [event for event in self.events if event.status in EVENT_FAILING]

    @property
    def fingerprints(self) -> list[str]:
        """What stands for all of it where somebody agrees to it: how each event ends, and all that it brings about."""
        ends = (
            fingerprint_of(each.stripe_event_id, each.status in EVENT_FAILING or each.status, each.error_group)
            for each in self.events
        )
        return [*ends, *self.outcome.fingerprints]


def replay_events(
    event_ids: Collection[int], *, by: Any, reason: str, at: datetime, dry_run: bool = False,
    expected: Collection[str] | None = None,
) -> Replayed:  # fmt: skip
    """Process these events (their keys) again at once. Not to be called inside a transaction.

    A dry run does the very same and rolls it back. `expected`: the fingerprints of what was shown; whatever else would
    come of it raises ReplayMoved. Raises ReplayRefused without a reason, or for an event that is in a worker's hand.
    """
    if not (dry_run or reason.strip()):
        raise ReplayRefused(_("A replay needs a reason."))
    batch = BatchProgress()
    try:
        with kept_or_untold(durable=True), watching() as seen:
            _wait_for_nobody()
            batch = process_again(event_ids, by=by, reason=reason, at=at)
            _require_all(event_ids, batch.event_ids)
            replayed = Replayed(events_as_they_are(batch.event_ids), outcome_of(seen))
            if expected is not None and not set(replayed.fingerprints) <= set(expected):
                raise ReplayMoved
            transaction.set_rollback(dry_run)
    except DatabaseError as error:
        if is_passing(error):
            raise ReplayRefused(_("It is being changed at this very moment: try again in a minute.")) from error
        raise
    if not dry_run:
        look_again(batch, at=at)
    return replayed


def replay_event(*, event: PaymentEvent, by: Any, reason: str, at: datetime) -> Replayed:
    """Process this event again at once; raises as `replay_events` does."""
    return replay_events([event.pk], by=by, reason=reason, at=at)


def process_again(event_ids: Collection[int], *, by: Any, reason: str, at: datetime) -> BatchProgress:
    """In the caller's transaction: process those of these events that no worker has in hand, in order of occurrence.

    Of what was purged only the skeleton is here: it stays as it is. After the commit the caller looks again
    (`look_again`).
    """
    rows = PaymentEvent.objects.filter(pk__in=event_ids).exclude(payload__has_key=PURGED_AT)
    free = rows.order_by("pk").select_for_update(skip_locked=True, no_key=True)
    ids = list(free.values_list("pk", flat=True))
    rows.filter(pk__in=ids).update(
        status=EventStatus.RECEIVED, ignored_reason="", next_attempt_at=F("occurred_at"), trigger=Trigger.REPLAY,
        requested_by=by, requested_reason=reason.strip()[:REASON_MAX_LENGTH],
    )  # fmt: skip
    batch = process_claimed(lambda: claim_these(ids), at=at)
    log.info("events.replayed", count=len(batch.event_ids), by=getattr(by, "pk", None), reason=reason)
    ring_on_commit()
    return batch


def events_as_they_are(event_ids: Collection[int]) -> list[PaymentEvent]:
    """In the order in which they happened, without their payloads."""
    rows = PaymentEvent.objects.filter(pk__in=event_ids).select_related("order", "subscription")
    return list(rows.defer("payload").order_by("occurred_at", "pk"))


def _wait_for_nobody() -> None:
    """Somebody waits for the page: a row that another holds for long must not hold the page."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'; SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT}'"
        )


def _require_all(wanted: Collection[int], got: Collection[int]) -> None:
    missing = set(wanted) - set(got)
    if missing:
        row = PaymentEvent.objects.filter(pk=min(missing)).only("stripe_event_id", "payload").first()
        if row is None:
            raise ReplayRefused(_("The event is not here any more."))
        if row.purged_at:
            told = _("The payload of %(event)s was purged: ask Stripe about its order or subscription instead.")
            raise ReplayRefused(told % {"event": row.stripe_event_id})
        raise ReplayRefused(_("%(event)s is being processed at this moment.") % {"event": row.stripe_event_id})


@transaction.atomic
def release_held(*, type: str, by: Any, reason: str, at: datetime) -> int:
    """Stop holding events of this type back and queue those that were set aside, the oldest first. Returns how many.

    What another hold is for stays aside.
    """
    HeldType.objects.filter(pk=type).delete()
    rows = no_longer_held() if type == ALL_TYPES else no_longer_held().filter(type=type)
    count = rows.update(
        status=EventStatus.RECEIVED,
        next_attempt_at=Least(F("occurred_at"), at),
        trigger=Trigger.DRAIN,
        requested_by=by,
        requested_reason=reason.strip()[:500],
    )
    log.info("events.released", type=type, count=count, by=getattr(by, "pk", None), reason=reason)
    ring_on_commit()
    return count
