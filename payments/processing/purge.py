"""Takes the payloads out of old events; the skeleton stays: what it was, when, what became of it, and whom it names.

By the skeleton a duplicate is recognized, the back-fill finds nothing missing, and the diagnosis answers
(docs/adr/0022-retention.md).
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction
from django.db.models import Func, Q, QuerySet

from payments.billing.models import Dispute
from payments.ledger.models import PURGED_AT, WAITS_FOR_A_NAME, PaymentEvent
from payments.orders.models import OrderException
from payments.processing.models import ReplayRun, ReplayState
from payments.statuses import EVENT_DONE, DisputePhase

log = structlog.get_logger(__name__)
DEFAULT_DAYS = 400
# Stripe can be asked for an event for 30 days, and lets us send it again; what is younger is nobody's to purge.
LEAST_DAYS = 35
BATCH_SIZE = 500
UNFINISHED_DISPUTES = (DisputePhase.INQUIRY, DisputePhase.OPEN)
# The keys that every reader of a payload may ask for, and nothing of what stood there.
SKELETON = f"""
    UPDATE payments_paymentevent SET payload = jsonb_build_object(
        'id', stripe_event_id, 'object', 'event', 'type', type, 'data', '{{"object": {{}}}}'::jsonb,
        '{PURGED_AT}', %s::text
    ) WHERE id = ANY(%s)
"""


class PurgeRefused(ValueError):
    """Nothing was purged; the text says why."""


@dataclass(slots=True)
class Purged:
    """How many payloads went (would go), and by reason how many of that age stay."""

    before: datetime
    dry_run: bool
    purged: int = 0
    kept: Counter[str] = field(default_factory=Counter)


def purge_payloads(
    *,
    older_than: timedelta,
    at: datetime,
    dry_run: bool = False,
    progress: Callable[[int], object] = lambda _count: None,
) -> Purged:
    """Purge what was received longer ago than that and is finished. Not to be called inside a transaction.

    A batch is a transaction: what is interrupted is kept so far, and the next run goes on. Raises PurgeRefused.
    """
    if older_than < timedelta(days=LEAST_DAYS):
        raise PurgeRefused(
            f"Nothing younger than {LEAST_DAYS} days is purged: Stripe may still have to be asked for it."
        )
    done = Purged(at - older_than, dry_run)
    done.kept = Counter(dict(_kept(done.before)))
    if dry_run:
        done.purged = _purgeable(done.before).count()
        return done
    while count := _purge_batch(done.before, at=at):
        done.purged += count
        progress(count)
    log.info("ledger.purged", payloads=done.purged, before=done.before.isoformat(), kept=done.kept.total())
    return done


@transaction.atomic
def _purge_batch(before: datetime, *, at: datetime) -> int:
    """What somebody has in hand at this moment waits for the next run."""
    rows = (
        _purgeable(before).order_by("received_at", "pk").select_for_update(skip_locked=True, no_key=True, of=("self",))
    )
    ids = list(rows.values_list("pk", flat=True)[:BATCH_SIZE])
    with connection.cursor() as cursor:
        cursor.execute(SKELETON, [at.isoformat(), ids])
    return len(ids)


def _purgeable(before: datetime) -> QuerySet[PaymentEvent]:
    rows = _old(before)
    for _reason, needed in _reasons():
        rows = rows.exclude(needed)
    return rows


def _old(before: datetime) -> QuerySet[PaymentEvent]:
    return PaymentEvent.objects.filter(received_at__lt=before).exclude(payload__has_key=PURGED_AT)


def _kept(before: datetime) -> Iterator[tuple[str, int]]:
    """By the first reason that holds."""
    rows = _old(before)
    for reason, needed in _reasons():
        if count := rows.filter(needed).count():
            yield reason, count
        rows = rows.exclude(needed)


def _reasons() -> Iterator[tuple[str, Q]]:
    """Why an old event is needed as it came."""
    yield "not finished (waiting, failing, given up or held back)", ~Q(status__in=EVENT_DONE)
    yield "names something that is not known yet", WAITS_FOR_A_NAME
    open_questions = OrderException.objects.filter(is_open=True)
    yield "an open question is about it", _about(open_questions)
    disputes = Dispute.objects.filter(phase__in=UNFINISHED_DISPUTES)
    yield "a dispute is not decided yet", _about(disputes)
    runs = ReplayRun.objects.filter(state=ReplayState.RUNNING)
    yield "it is being replayed", Q(pk__in=runs.annotate(each=Func("event_ids", function="unnest")).values("each"))


def _about(rows: QuerySet) -> Q:
    """Events of the same order or subscription, and those that name what the row is about."""
    names = [name for pair in rows.values_list(*_names_of(rows)) for name in pair if name]
    return (
        Q(order__in=rows.filter(order__isnull=False).values("order"), order__isnull=False)
        | Q(subscription__in=rows.filter(subscription__isnull=False).values("subscription"), subscription__isnull=False)
        | Q(mentions__overlap=names or [""])
    )


def _names_of(rows: QuerySet) -> tuple[str, ...]:
    return ("stripe_id", "payment") if rows.model is Dispute else ("subject",)
