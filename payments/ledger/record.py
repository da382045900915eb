"""Keeps an event exactly once, in one statement and one commit; claims those that are due, under lock; and queues
again what waits for a name that is known by now.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any

from django.db import OperationalError, connection
from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL

from payments.bell import ring_on_commit
from payments.ledger.models import (
    ALL_TYPES,
    DUE_STATUSES,
    FOREIGN_SITE,
    UNKNOWN_ORDER,
    UNMATCHED,
    EventSource,
    HeldType,
    PaymentEvent,
    Redelivery,
    Trigger,
)
from payments.ledger.read_event import Incoming
from payments.sql import prepared, select_rows, to_json
from payments.statuses import EventStatus

__all__ = ["Incoming", "RecordOutcome", "Recorded", "record_event"]


class RecordOutcome(Enum):
    """What became of a delivered event."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    REQUEUED = "requeued"


@dataclass(frozen=True, slots=True)
class Recorded:
    """`id` is the ledger's row."""

    outcome: RecordOutcome
    id: int


_TABLE = PaymentEvent._meta.db_table
_COLUMNS = (
    "stripe_event_id", "type", "api_version", "livemode", "account", "object_id", "payload", "body_sha256",
    "source", "request_id", "occurred_at", "received_at", "status", "ignored_reason", "next_attempt_at",
    "processed_at", "attempts", "error_kind", "error", "references", "mentions", "trigger", "requested_reason",
)  # fmt: skip
# Seen is not done: Stripe's retries and the Dashboard's “resend” must be able to repair what failed here.
# A row that a worker holds at this moment is being tried anyway; a delivery is written down beside it without waiting.
_REQUEUE = f"""
    WITH requeued AS (
        UPDATE {_TABLE} SET status = %(failed)s, next_attempt_at = %(at)s, trigger = %(trigger)s,
                            requested_by_id = NULL, requested_reason = ''
        WHERE id = (
            SELECT id FROM {_TABLE}
            WHERE stripe_event_id = %(stripe_event_id)s AND status IN (%(failed)s, %(dead)s)
            FOR NO KEY UPDATE SKIP LOCKED
        )
        RETURNING id
    ), told AS (
        INSERT INTO {Redelivery._meta.db_table} (event_id, request_id, received_at)
        SELECT id, %(request_id)s, %(at)s FROM {_TABLE} WHERE stripe_event_id = %(stripe_event_id)s
    )
    SELECT id, EXISTS (SELECT FROM requeued) FROM {_TABLE} WHERE stripe_event_id = %(stripe_event_id)s
"""


def record_event(incoming: Incoming, *, source: EventSource | str, request_id: str, at: datetime) -> Recorded:
    """Keep the event; a known one that failed is queued again. Outside a transaction it commits by itself."""
    stored = record_new([(incoming, request_id)], source=source, at=at)
    if incoming.id in stored:
        return Recorded(RecordOutcome.STORED, stored[incoming.id])
    return _requeue(incoming.id, request_id=request_id, at=at)


def record_new(
    deliveries: Iterable[tuple[Incoming, str]], *, source: EventSource | str, at: datetime
) -> dict[str, int]:
    """Keep those that are not known yet, each with its request id, in one statement and one commit: all or none.

    Returns the ledger's id of each that was kept, by its Stripe id. An event that stands here twice is kept once.
    """
    rows = [_row(incoming, source=source, request_id=request_id, at=at) for incoming, request_id in deliveries]
    return dict(prepared(_insert_statement(), [to_json(rows)]))


@cache
def _insert_statement() -> str:
    """get_or_create would be ten times as slow: six round trips instead of one."""
    columns = ", ".join(f'"{column}"' for column in _COLUMNS)
    types = {column: PaymentEvent._meta.get_field(column).db_type(connection) for column in _COLUMNS}
    shape = ", ".join(f'"{column}" {kind}' for column, kind in types.items())
    return (
        f"INSERT INTO {_TABLE} ({columns}) SELECT {columns} FROM json_to_recordset(%s::json) AS r({shape}) "
        "ON CONFLICT (stripe_event_id) DO NOTHING RETURNING stripe_event_id, id"
    )


def _requeue(stripe_event_id: str, *, request_id: str, at: datetime) -> Recorded:
    values: dict[str, str | datetime] = {
        "stripe_event_id": stripe_event_id,
        "request_id": request_id,
        "at": at,
        "failed": str(EventStatus.FAILED),
        "dead": str(EventStatus.DEAD),
        "trigger": str(Trigger.DELIVERY),
    }
    with connection.cursor() as cursor:
        cursor.execute(_REQUEUE, values)
        found = cursor.fetchone()
    if found is None:  # purged between the two statements; whoever tries again stores it
        raise OperationalError(f"{stripe_event_id} was there and is gone")
    return Recorded(RecordOutcome.REQUEUED if found[1] else RecordOutcome.DUPLICATE, found[0])


def _row(incoming: Incoming, *, source: EventSource | str, request_id: str, at: datetime) -> dict[str, Any]:
    """Every column that may not be NULL: the database has no defaults, Django would have filled them in."""
    ignored = bool(incoming.ignored_reason)
    return {
        "stripe_event_id": incoming.id,
        "type": incoming.type,
        "api_version": incoming.api_version,
        "livemode": incoming.livemode,
        "account": incoming.account,
        "object_id": incoming.object_id,
        "payload": incoming.payload,
        "body_sha256": incoming.body_sha256,
        "source": str(source),
        "request_id": request_id,
        "occurred_at": incoming.occurred_at,
        "received_at": at,
        "status": str(EventStatus.IGNORED if ignored else EventStatus.RECEIVED),
        "ignored_reason": incoming.ignored_reason,
        "next_attempt_at": at,
        "processed_at": at if ignored else None,
        "attempts": 0,
        "error_kind": "",
        "error": "",
        "references": [],
        "mentions": incoming.mentions,
        "trigger": str(Trigger.DELIVERY),
        "requested_reason": "",
    }


def claim_due(*, at: datetime, limit: int) -> list[PaymentEvent]:
    """Up to `limit` due events, the longest due first. Must be called in a transaction; a killed worker frees them."""
    return _open_rows("next_attempt_at <= %s", at, limit)


def claim_these(event_ids: Collection[int]) -> list[PaymentEvent]:
    """Those of these events that are still open and held by nobody else."""
    return _open_rows("id = ANY(%s)", list(event_ids), len(event_ids))


def _open_rows(which: str, value: object, limit: int) -> list[PaymentEvent]:
    # The statuses stand in the text: as parameters they would hide from the planner that the partial index fits.
    due = ", ".join(f"'{status}'" for status in DUE_STATUSES)
    rest = f"WHERE status IN ({due}) AND {which} ORDER BY next_attempt_at, id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED"
    return select_rows(PaymentEvent, rest, [value, limit])


def held_types() -> frozenset[str]:
    """The event types that are held back now; ALL_TYPES among them holds every type."""
    return frozenset(name for (name,) in prepared(f"SELECT type FROM {HeldType._meta.db_table}"))


def no_longer_held() -> QuerySet[PaymentEvent]:
    """The events that were set aside and whose type nobody holds back any more."""
    types = held_types()
    rows = PaymentEvent.objects.filter(status=EventStatus.HELD)
    return rows.none() if ALL_TYPES in types else rows.exclude(type__in=types)


# The condition is that of the index over names that are waited for, in its words (WAITS_FOR_A_NAME).
_REQUEUE_NAMING = f"""
    UPDATE {_TABLE} SET status = '{EventStatus.RECEIVED}', ignored_reason = '', next_attempt_at = %s,
                        trigger = '{Trigger.REFERENCE}'
    WHERE id IN (
        SELECT id FROM {_TABLE}
        WHERE (error_kind = '{UNKNOWN_ORDER}' OR ignored_reason IN ('{UNMATCHED}', '{FOREIGN_SITE}'))
          AND "references" && %s::varchar[]
        ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
    )
    RETURNING id
"""
REQUEUE_LOOK_BACK = timedelta(hours=1)
# Django cannot say `= ANY(array column)`; each name is one look-up by primary key.
NAMES_SOMETHING_KNOWN = RawSQL(
    'EXISTS (SELECT FROM payments_reference r WHERE r.name = ANY(payments_paymentevent."references"))',
    [],
    output_field=BooleanField(),
)


def requeue_naming(names: Collection[str], *, at: datetime) -> int:
    """Queue the events again that wait for one of these names; ignored, failed or given up. Returns how many.

    For whoever gives something a name: in its transaction or after it. What a worker has in hand looks for itself
    once it is done (`requeue_if_known`).
    """
    if not names:
        return 0
    queued = prepared(_REQUEUE_NAMING, [at, list(names)])
    if queued:
        ring_on_commit()
    return len(queued)


def requeue_if_known(event_ids: Collection[int], *, at: datetime) -> int:
    """Queue those of these unmatched events again of which a name is known by now. Returns how many."""
    return _queue(_known(_unmatched().filter(pk__in=event_ids)), at=at) if event_ids else 0


def requeue_recent(*, at: datetime) -> int:
    """Queue what went unmatched lately and is known by now: a crash between a commit and its look-up left it behind."""
    return _queue(_known(_unmatched().filter(processed_at__gte=at - REQUEUE_LOOK_BACK)), at=at)


def _unmatched() -> QuerySet[PaymentEvent]:
    """Events that were ignored because nothing that they name was known. Another site's may name somebody known."""
    return PaymentEvent.objects.filter(status=EventStatus.IGNORED, ignored_reason=UNMATCHED)


def _known(events: QuerySet[PaymentEvent]) -> QuerySet[PaymentEvent]:
    return events.filter(NAMES_SOMETHING_KNOWN)


def _queue(events: QuerySet[PaymentEvent], *, at: datetime) -> int:
    return events.update(status=EventStatus.RECEIVED, ignored_reason="", next_attempt_at=at, trigger=Trigger.REFERENCE)
