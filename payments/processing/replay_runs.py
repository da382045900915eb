"""Replays many events, batch by batch, in the order in which they happened: a worker's work, which nothing interrupts.

Each batch and the run's numbers are one commit, so that a worker that is killed loses nothing. The workers take a batch
only when no fresh event is due, and not more often than every PAUSE: fresh deliveries come first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from payments.bell import ring_on_commit
from payments.ledger.models import HAS_FAILED, PaymentEvent
from payments.processing.drain import look_again
from payments.processing.models import ReplayRun, ReplayState
from payments.processing.process import BatchProgress
from payments.processing.replay import REASON_MAX_LENGTH, ReplayRefused, process_again
from payments.sql import kept_or_untold
from payments.statuses import EVENT_FAILING

log = structlog.get_logger(__name__)
# 100 events a second at most, on any number of workers.
BATCH_SIZE, PAUSE = 100, timedelta(seconds=1)
# What one run takes at most; the earliest come first.
MAX_EVENTS = 100_000


@dataclass(frozen=True, slots=True)
class Selection:
    """Which events. `since`, `until`: when they were received (from, and before); `ids`: Stripe's; `group`: its key.

    Without states: those that have failed or were given up, but of `ids` all.
    """

    statuses: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    ids: tuple[str, ...] = ()
    group: str = ""

    @property
    def is_empty(self) -> bool:
        """Nothing was said: that must not mean everything."""
        return self == Selection()

    def rows(self) -> QuerySet[PaymentEvent]:
        """The events, in the order in which they happened. Raises ReplayRefused where nothing was chosen."""
        if self.is_empty:
            raise ReplayRefused(_("Say which events: not everything is replayed at once."))
        wanted = {
            "status__in": self.statuses, "type__in": self.types, "received_at__gte": self.since,
            "received_at__lt": self.until, "stripe_event_id__in": self.ids, "error_group": self.group,
        }  # fmt: skip
        states = Q() if self.statuses or self.ids else HAS_FAILED
        # A group is found by its index, which holds nothing but failures.
        states = states & HAS_FAILED if self.group else states
        rows = PaymentEvent.objects.filter(states, **{name: value for name, value in wanted.items() if value})
        return rows.order_by("occurred_at", "pk")

    def as_kept(self) -> dict[str, Any]:
        """For the run's own row."""
        told = {
            "statuses": list(self.statuses), "types": list(self.types), "ids": list(self.ids), "group": self.group,
            "since": self.since and self.since.isoformat(), "until": self.until and self.until.isoformat(),
        }  # fmt: skip
        return {name: value for name, value in told.items() if value}


@transaction.atomic
def start_run(
    selection: Selection, *, by: Any, reason: str, at: datetime, limit: int = MAX_EVENTS, source: str = "",
    stops_at_error: bool = True,
) -> ReplayRun:  # fmt: skip
    """Let the workers replay these events. What is replayed already is not begun a second time: that run is returned.

    Raises ReplayRefused without a reason or a choice, and where there is no such event.
    """
    if not reason.strip():
        raise ReplayRefused(_("A replay needs a reason."))
    ids = list(selection.rows().values_list("pk", flat=True)[: min(limit, MAX_EVENTS)])
    if not ids:
        raise ReplayRefused(_("There are no such events."))
    kept = selection.as_kept()
    if running := ReplayRun.objects.filter(state=ReplayState.RUNNING, selection=kept).first():
        return running
    run = ReplayRun.objects.create(
        started_at=at, started_by=by, source=source, reason=reason.strip()[:REASON_MAX_LENGTH], selection=kept,
        event_ids=ids, total=len(ids), stops_at_error=stops_at_error, next_batch_at=at,
    )  # fmt: skip
    log.info("replay.started", run=run.pk, events=run.total, by=getattr(by, "pk", None), reason=reason, **kept)
    ring_on_commit()
    return run


def advance_replay(*, at: datetime, only: ReplayRun | None = None) -> ReplayRun | None:
    """Replay the next batch of the run (of `only` this one) that has waited longest; None where none is due.

    Raises django.db.Error when the database is away: then nothing of the batch has happened.
    """
    batch = BatchProgress()
    with kept_or_untold(durable=True):
        run = _next_due(at=at, only=only)
        if run is None:
            return None
        ids = run.event_ids[run.position : run.position + BATCH_SIZE]
        batch, tried = _replay(run, ids, at=at)
        _count(run, batch.event_ids, tried=tried, at=at)
    look_again(batch, at=at)
    return run


def _next_due(*, at: datetime, only: ReplayRun | None) -> ReplayRun | None:
    due = ReplayRun.objects.filter(state=ReplayState.RUNNING, next_batch_at__lte=at).order_by("next_batch_at", "pk")
    rows = due.filter(pk=only.pk) if only else due
    return rows.select_for_update(skip_locked=True, no_key=True, of=("self",)).first()


def _replay(run: ReplayRun, ids: Sequence[int], *, at: datetime) -> tuple[BatchProgress, int]:
    """What was done, and of how many; where one fails and that is the end of it, nothing behind it is touched."""
    with kept_or_untold():
        batch = _process(run, ids, at=at)
        is_undone = run.stops_at_error and len(ids) > 1 and _failures(batch.event_ids) != []
        transaction.set_rollback(is_undone)
    if not is_undone:
        return batch, len(ids)
    one_by_one = BatchProgress()
    for tried, pk in enumerate(ids, start=1):
        one = _process(run, [pk], at=at)
        one_by_one.add(one)
        if _failures(one.event_ids):
            return one_by_one, tried
    return one_by_one, len(ids)


def _process(run: ReplayRun, ids: Sequence[int], *, at: datetime) -> BatchProgress:
    return process_again(ids, by=run.started_by, reason=run.reason, at=at)


def _failures(event_ids: Sequence[int]) -> list[PaymentEvent]:
    failed = PaymentEvent.objects.filter(pk__in=event_ids, status__in=EVENT_FAILING)
    return list(failed.defer("payload").order_by("occurred_at", "pk"))


def _count(run: ReplayRun, event_ids: Sequence[int], *, tried: int, at: datetime) -> None:
    failures = _failures(event_ids)
    run.position += tried
    run.failed += len(failures)
    run.healed += len(event_ids) - len(failures)
    run.failed_event = failures[-1] if failures else run.failed_event
    run.next_batch_at = at + PAUSE
    if failures and run.stops_at_error:
        _end(run, ReplayState.STOPPED, at=at)
    elif run.position >= run.total:
        _end(run, ReplayState.DONE, at=at)
    run.save(update_fields=["position", "failed", "healed", "failed_event", "next_batch_at", "state", "finished_at"])


def _end(run: ReplayRun, state: ReplayState, *, at: datetime) -> None:
    run.state, run.finished_at = state, at
    log.info("replay.ended", run=run.pk, state=str(state), healed=run.healed, failed=run.failed, left=run.left)


@transaction.atomic
def cancel_run(run: ReplayRun, *, by: Any, at: datetime) -> ReplayRun:
    """End it after the batch at hand; what was replayed stays so. Raises ReplayRefused where it has ended already."""
    row = ReplayRun.objects.select_for_update(no_key=True, of=("self",)).get(pk=run.pk)
    if row.state != ReplayState.RUNNING:
        raise ReplayRefused(_("This replay has ended already."))
    _end(row, ReplayState.CANCELED, at=at)
    row.save(update_fields=["state", "finished_at"])
    log.info("replay.canceled", run=row.pk, by=getattr(by, "pk", None))
    return row


@transaction.atomic
def continue_run(run: ReplayRun, *, by: Any, reason: str, at: datetime) -> ReplayRun:
    """Go on behind the event that failed, or where it was canceled, in the name of who says so; or ReplayRefused."""
    if not reason.strip():
        raise ReplayRefused(_("A replay needs a reason."))
    row = ReplayRun.objects.select_for_update(no_key=True, of=("self",)).get(pk=run.pk)
    if row.state == ReplayState.RUNNING or not row.left:
        raise ReplayRefused(_("There is nothing to go on with."))
    row.state, row.finished_at, row.next_batch_at = ReplayState.RUNNING, None, at
    row.started_by, row.reason = by, reason.strip()[:REASON_MAX_LENGTH]
    row.save(update_fields=["state", "finished_at", "next_batch_at", "started_by", "reason"])
    log.info("replay.continued", run=row.pk, by=getattr(by, "pk", None), reason=reason)
    ring_on_commit()
    return row
