"""Writes on each event how its try ended, with one row of history for each try."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog

from payments.apply.resolve import UnknownOrder
from payments.effects.note import Note, note
from payments.ledger.models import EventAttempt, PaymentEvent, Trigger
from payments.orders.models import ExceptionKind
from payments.orders.purchasables import Question
from payments.orders.questions import keep
from payments.sql import update_rows
from payments.statuses import EventStatus

log = structlog.get_logger(__name__)

BACK_OFF = (
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(hours=24),
)
EVENT_STATE = (
    "status", "ignored_reason", "attempts", "next_attempt_at", "processed_at", "error_kind", "error", "order_id",
    "references", "trigger", "requested_by_id", "requested_why",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one try ended."""

    status: EventStatus
    reason: str = ""
    error_kind: str = ""
    error: str = ""
    changes: list[dict[str, str]] = field(default_factory=list)

    @classmethod
    def failed(cls, error: Exception) -> "Verdict":
        """The try failed with this error: kept for staff, tried again."""
        return cls(EventStatus.FAILED, error_kind=type(error).__name__, error=str(error)[:2000])


def mark(verdicts: Sequence[tuple[PaymentEvent, Verdict]], *, at: datetime, duration_us: int) -> None:
    """Write the verdicts and their history. `duration_us`: this try's share of the batch, in microseconds."""
    tries = [_turn(event, verdict, at=at, duration_us=duration_us) for event, verdict in verdicts]
    EventAttempt.objects.bulk_create(tries)
    update_rows(PaymentEvent, [_row(event) for event, _ in verdicts])
    events = [event for event, _ in verdicts]
    note(_alerts([event for event in events if event.status == EventStatus.DEAD], at=at), at=at)
    keep(_unknown_orders(events), at=at)


def _turn(event: PaymentEvent, verdict: Verdict, *, at: datetime, duration_us: int) -> EventAttempt:
    """Move the event on in memory; what asked for this try goes to its history and is forgotten."""
    event.attempts += verdict.status != EventStatus.HELD
    event.status, event.ignored_reason = verdict.status, verdict.reason
    event.error_kind, event.error = verdict.error_kind, verdict.error
    event.processed_at = at if verdict.status in (EventStatus.PROCESSED, EventStatus.IGNORED) else None
    if verdict.status == EventStatus.FAILED:
        _put_off(event, at=at)
    row = EventAttempt(
        event=event, number=event.attempts, trigger=event.trigger, requested_by_id=event.requested_by_id,
        requested_why=event.requested_why, started_at=at, duration_us=duration_us, outcome=event.status,
        reason=verdict.reason, error_kind=verdict.error_kind, error=verdict.error, changes=verdict.changes,
    )  # fmt: skip
    event.trigger, event.requested_by_id, event.requested_why = Trigger.RETRY, None, ""
    _log(event, verdict)
    return row


def _put_off(event: PaymentEvent, *, at: datetime) -> None:
    """The n-th failure waits the n-th span; after the last one the event is given up."""
    if event.attempts > len(BACK_OFF):
        event.status = EventStatus.DEAD
    else:
        event.next_attempt_at = at + BACK_OFF[event.attempts - 1]


def _row(event: PaymentEvent) -> dict[str, Any]:
    return {"id": event.pk, **{column: getattr(event, column) for column in EVENT_STATE}}


def _alerts(events: Iterable[PaymentEvent], *, at: datetime) -> list[Note]:
    """One alert per type, error and hour: a broken handler must not fill the mail box."""
    hour = at.strftime("%Y%m%dT%H")
    return [
        Note(
            key=f"alert.event_dead:{event.type}:{event.error_kind}:{hour}",
            kind="alert.event_dead",
            order_id=event.order_id,
            data={"type": event.type, "error_kind": event.error_kind, "event": event.stripe_event_id},
        )
        for event in events
    ]


def _unknown_orders(events: Iterable[PaymentEvent]) -> Iterable[Question]:
    """What names an order that never appeared goes in front of staff, until the event finds one after all."""
    for event in events:
        if event.attempts > len(BACK_OFF):
            is_lost = event.status == EventStatus.DEAD and event.error_kind == UnknownOrder.__name__
            subject = event.stripe_event_id
            yield Question(ExceptionKind.UNKNOWN_ORDER, subject, event.order_id, is_lost, event.error)


def _log(event: PaymentEvent, verdict: Verdict) -> None:
    say = log.warning if verdict.error_kind else log.info
    say(
        f"event.{event.status.lower()}", stripe_event=event.stripe_event_id, type=event.type, order=event.order_id,
        attempt=event.attempts, reason=verdict.reason or verdict.error, request_id=event.request_id,
    )  # fmt: skip
