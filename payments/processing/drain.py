"""Empties the queue: batch after batch until nothing is due; a bad event costs only itself (docs/adr/0003)."""

import random
import time
from collections.abc import Sequence
from datetime import datetime

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, transaction
from django.utils import timezone

from payments.effects.deliver import ShouldStop, never
from payments.ledger.models import Trigger
from payments.ledger.record import (
    claim_due,
    claim_these,
    no_longer_held,
    requeue_if_known,
    requeue_naming,
    requeue_recent,
)
from payments.processing.auto_hold import hold_what_keeps_failing
from payments.processing.failure_groups import fill_in_groups
from payments.processing.process import AttemptResult, BatchProgress, Claim, failed_groups, mark, process
from payments.statuses import EventStatus

log = structlog.get_logger(__name__)
MAX_PASSING_ERRORS = 5
# Classes of SQLSTATE that say "not now" rather than "never": connection, rollback, resources, operator.
PASSING_SQLSTATE_CLASSES = ("08", "40", "53", "57")
LOCK_NOT_AVAILABLE = "55P03"


def drain(*, at: datetime | None = None, should_stop: ShouldStop = never) -> int:
    """Process everything that is due (at `at`, else as the clock goes). Returns how many events were processed.

    Raises django.db.Error when the database is away or keeps refusing; nothing is lost then.
    """
    total = 0
    while not should_stop():
        done = drain_batch(at=at or timezone.now())
        total += done
        if not done:
            break
    return total


def drain_batch(*, at: datetime) -> int:
    """Process one batch of due events. Returns how many were claimed."""
    batch = process_claimed(lambda: claim_due(at=at, limit=settings.DRAIN_BATCH_SIZE), at=at)
    look_again(batch, at=at)
    if batch.failed_groups:
        hold_what_keeps_failing(batch.failed_groups, at=at)
    return len(batch.event_ids)


def look_again(batch: BatchProgress, *, at: datetime) -> None:
    """After the commit: queue again what names something that was taught meanwhile, by this batch or by others."""
    requeue_naming(batch.new_references, at=at)
    requeue_if_known(batch.unmatched, at=at)


def process_claimed(claim: Claim, *, at: datetime) -> BatchProgress:
    """Process what can be claimed; split the batch where the database, or a product that follows, refuses it.

    Whoever calls it must let it look again (`look_again`) once it is committed.
    """
    for turn in range(MAX_PASSING_ERRORS):
        batch = BatchProgress()
        try:
            process(claim, batch=batch, at=at)
        except Exception as error:
            if not is_passing(error):
                return _split(batch.event_ids, error, at=at)
            if turn + 1 == MAX_PASSING_ERRORS or not batch.event_ids:
                raise
            log.info("drain.again", reason=type(error).__name__, events=len(batch.event_ids))
            time.sleep(random.uniform(0, 0.01) * 2**turn)
        else:
            return batch
    raise AssertionError("unreachable: the last turn returns or raises")


def _split(event_ids: Sequence[int], error: Exception, *, at: datetime) -> BatchProgress:
    """Halve the batch, each part claimed anew, until the event that brings it down stands alone."""
    if not event_ids:
        raise error
    if len(event_ids) == 1:
        return _refuse(event_ids, error, at=at)
    middle = len(event_ids) // 2
    halves = (event_ids[:middle], event_ids[middle:])
    total = BatchProgress()
    for half in halves:
        total.add(process_claimed(lambda half=half: claim_these(half), at=at))  # type: ignore[misc]
    return total


@transaction.atomic
def _refuse(event_ids: Sequence[int], error: Exception, *, at: datetime) -> BatchProgress:
    events = claim_these(event_ids)
    mark([(event, AttemptResult.failed(error)) for event in events], at=at, duration_us=0)
    return BatchProgress(event_ids=list(event_ids), failed_groups=failed_groups(events))


def is_passing(error: Exception) -> bool:
    """Whether the error says nothing about the events: rivals, time-outs, a lost connection. No attempt is counted."""
    if isinstance(error, InterfaceError):
        return True
    if not isinstance(error, DatabaseError):
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    if state is None:
        return error.__cause__ is not None
    return state[:2] in PASSING_SQLSTATE_CLASSES or state == LOCK_NOT_AVAILABLE


def sweep(*, at: datetime) -> int:
    """Queue again: unmatched events whose names are known by now, and events held for a type that no longer is.

    Failures that are in no group yet get one.
    """
    fill_in_groups()
    rematched = requeue_recent(at=at)
    stranded = no_longer_held()
    released = stranded.update(status=EventStatus.RECEIVED, next_attempt_at=at, trigger=Trigger.DRAIN)
    if rematched or released:
        log.info("sweep.queued", rematched=rematched, released=released)
    return rematched + released
