"""One batch of claimed events: handlers, apply, and the mark on each event, all in one transaction."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any

import structlog
from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.timezone import get_default_timezone, localdate
from django.utils.translation import gettext_noop

from payments.apply.apply import apply, save_exceptions
from payments.apply.batch import ApplyResult, FactSet, guarded
from payments.apply.locked_rows import mark_days
from payments.effects.deliver import Skip
from payments.effects.enqueue import EffectRequest, enqueue
from payments.effects.mail import Mail, mails, to_staff
from payments.effects.models import Effect
from payments.facts import (
    DisputeFact,
    Fact,
    InvoiceFact,
    LookUp,
    NoFacts,
    PaymentFact,
    RefundFact,
    moves_money,
    references_to_wait_for,
)
from payments.handlers.registry import HANDLERS, EventView
from payments.ledger.models import (
    ALL_TYPES,
    UNKNOWN_ORDER,
    UNMATCHED,
    EventAttempt,
    PaymentEvent,
    Redelivery,
    Trigger,
)
from payments.ledger.read_event import THIN, mentions_of, named_by, why_foreign
from payments.ledger.record import held_types
from payments.processing.failure_groups import group_of
from payments.products import Question, Value, sum_of
from payments.sql import insert_rows, kept_or_untold, plan_for_few_rows, update_rows
from payments.statuses import EVENT_DONE, EVENT_FAILING, EventStatus, ExceptionKind

log = structlog.get_logger(__name__)

BACK_OFF = (
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(hours=24),
)
A_DAY = timedelta(days=1)
MAX_NAMES_LENGTH = 300
EVENT_STATE = (
    "status", "ignored_reason", "attempts", "next_attempt_at", "processed_at", "error_kind", "error", "error_group",
    "order_id", "subscription_id", "references", "mentions", "trigger", "requested_by_id", "requested_reason",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """How one try ended."""

    status: EventStatus
    reason: str = ""
    error_kind: str = ""
    error: str = ""
    changes: list[dict[str, str]] = field(default_factory=list)

    @classmethod
    def failed(cls, error: Exception) -> "AttemptResult":
        """The try failed with this error: kept for staff, tried again."""
        return cls(EventStatus.FAILED, error_kind=type(error).__name__, error=str(error)[:2000])


def mark(results: Sequence[tuple[PaymentEvent, AttemptResult]], *, at: datetime, duration_us: int) -> None:
    """Write the verdicts and their history. `duration_us`: this try's share of the batch, in microseconds."""
    attempt_rows = [_next_state(event, result, at=at, duration_us=duration_us) for event, result in results]
    insert_rows(attempt_rows)
    update_rows(PaymentEvent, [_row(event) for event, _ in results])
    events = [event for event, _ in results]
    enqueue(_alerts([event for event in events if event.status == EventStatus.DEAD], at=at), at=at)
    save_exceptions(_unknown_orders(events), at=at)
    # Days that are not over are counted all the time.
    mark_days({localdate(each.received_at, get_default_timezone()) for each in events if each.received_at < at - A_DAY})


def _next_state(event: PaymentEvent, result: AttemptResult, *, at: datetime, duration_us: int) -> EventAttempt:
    """Move the event on in memory; what asked for this try goes to its history and is forgotten."""
    event.attempts += result.status != EventStatus.HELD
    event.status, event.ignored_reason = result.status, result.reason
    event.error_kind, event.error = result.error_kind, result.error
    event.error_group = group_of(event.type, result.error_kind, result.error) if result.error_kind else ""
    event.processed_at = at if result.status in EVENT_DONE else None
    if result.status == EventStatus.FAILED:
        _put_off(event, at=at)
    row = EventAttempt(
        event=event, number=event.attempts, trigger=event.trigger, requested_by_id=event.requested_by_id,
        requested_reason=event.requested_reason, started_at=at, duration_us=duration_us, outcome=event.status,
        reason=result.reason, error_kind=result.error_kind, error=result.error, changes=result.changes,
    )  # fmt: skip
    event.trigger, event.requested_by_id, event.requested_reason = Trigger.RETRY, None, ""
    _log(event, result)
    return row


def _put_off(event: PaymentEvent, *, at: datetime) -> None:
    """The n-th failure waits the n-th span; after the last one the event is given up."""
    if event.attempts > len(BACK_OFF):
        event.status = EventStatus.DEAD
    else:
        event.next_attempt_at = at + BACK_OFF[event.attempts - 1]


def _row(event: PaymentEvent) -> dict[str, Any]:
    return {"id": event.pk, **{column: getattr(event, column) for column in EVENT_STATE}}


def _alerts(events: Iterable[PaymentEvent], *, at: datetime) -> list[EffectRequest]:
    """One alert per type, error and hour: a broken handler must not fill the mail box."""
    hour = at.strftime("%Y%m%dT%H")
    return [
        EffectRequest(
            key=f"alert.event_dead:{event.type}:{event.error_kind}:{hour}",
            kind="alert.event_dead",
            order_id=event.order_id,
            data={"type": event.type, "error_kind": event.error_kind, "event": event.stripe_event_id},
        )
        for event in events
    ]


def _unknown_orders(events: Iterable[PaymentEvent]) -> Iterable[Question]:
    """What names an order that never appeared goes in front of staff, until the event finds one after all.

    Money does so at its first failure: see `_untaken_money`.
    """
    for event in events:
        if event.status == EventStatus.DEAD and event.error_kind == UNKNOWN_ORDER:
            yield _unknown_order(event)
        elif event.status == EventStatus.PROCESSED and event.attempts > 1:
            yield _unknown_order(event, is_open=False)


def _untaken_money(handled: Iterable["HandledEvent"]) -> Iterable[Question]:
    """Money that names something of ours and finds nothing here: nobody may have to look for it in a list."""
    for each in handled:
        money = [fact for fact in each.facts if moves_money(fact)]
        if money and _names_ours_in_vain(each, money[0].refs.site):
            yield _unknown_order(each.event, money[0])


def _names_ours_in_vain(handled: "HandledEvent", site: str) -> bool:
    event = handled.event
    if event.status == EventStatus.IGNORED:
        return event.ignored_reason == UNMATCHED and site == settings.SITE_NAME
    return event.status in EVENT_FAILING and event.error_kind == UNKNOWN_ORDER


NAMES_NOTHING = gettext_noop("Nothing here is called %(names)s.")
MONEY_NAMES_NOTHING = gettext_noop("%(amount)s: nothing here is called %(names)s.")


def _sum_of(fact: Fact | None) -> dict[str, Value]:
    """How much it is about; nothing where it names no amount."""
    match fact:
        case PaymentFact() | InvoiceFact():
            return {"amount": sum_of(fact.received, fact.currency)}
        case RefundFact() | DisputeFact():
            return {"amount": sum_of(fact.amount, fact.currency)}
    return {}


def _unknown_order(event: PaymentEvent, fact: Fact | None = None, *, is_open: bool = True) -> Question:
    """`fact`: the money that it tells of, shown as its reader writes amounts."""
    amount, names = _sum_of(fact), ", ".join(event.references)[:MAX_NAMES_LENGTH]
    detail = MONEY_NAMES_NOTHING if amount else NAMES_NOTHING
    return Question(
        ExceptionKind.UNKNOWN_ORDER, event.stripe_event_id, event.order_id, is_open, detail, {**amount, "names": names}
    )


def _log(event: PaymentEvent, result: AttemptResult) -> None:
    say = log.warning if result.error_kind else log.info
    say(
        f"event.{event.status.lower()}", stripe_event=event.stripe_event_id, type=event.type, attempt=event.attempts,
        reason=result.reason or result.error, request_id=event.request_id, **_subjects_of(event),
    )  # fmt: skip


def _subjects_of(event: PaymentEvent) -> dict[str, Any]:
    """What it is about; where nothing was found, what it names of ours."""
    if event.order_id or event.subscription_id:
        return {"order": event.order_id, "subscription": event.subscription_id}
    named = {name.partition(":")[0]: name.partition(":")[2] for name in event.references if ":" in name}
    return {"order": named.get("order"), "registration": named.get("registration")}


NO_HANDLER = "no handler for this type"
THIN_EVENT = gettext_noop(
    "a thin event, which does not say what has changed: choose the payload style “snapshot” at Stripe"
)
# What Stripe is asked about because an event cannot tell it: delivered by payments/resync/untold.py.
LOOK_UP_KIND = "look_up"
Claim = Callable[[], list[PaymentEvent]]


@dataclass(slots=True)
class BatchProgress:
    """What a batch did. `event_ids` is filled before anything can fail, so that a failed batch can be split."""

    event_ids: list[int] = field(default_factory=list)
    unmatched: list[int] = field(default_factory=list)
    new_references: set[str] = field(default_factory=set)
    failed_groups: set[str] = field(default_factory=set)

    def add(self, other: "BatchProgress") -> None:
        """Take in what another part of the same batch did."""
        self.event_ids += other.event_ids
        self.unmatched += other.unmatched
        self.new_references |= other.new_references
        self.failed_groups |= other.failed_groups


@dataclass(slots=True)
class HandledEvent:
    """One claimed event on its way: what its handler said."""

    event: PaymentEvent
    facts: list[Fact] = field(default_factory=list)
    result: AttemptResult | None = None
    look_ups: list[LookUp] = field(default_factory=list)


@kept_or_untold()
def process(claim: Claim, *, batch: BatchProgress, at: datetime) -> None:
    """Claim events and process them. Raises django.db errors: then nothing of the batch has happened.

    What is kept of it is in English, whoever asks for it: errors in two languages would be two groups.
    """
    with translation.override("en"):
        _process(claim, batch=batch, at=at)


def _process(claim: Claim, *, batch: BatchProgress, at: datetime) -> None:
    plan_for_few_rows()
    events = claim()
    batch.event_ids = [event.pk for event in events]
    if not events:
        return
    _take_request_ids(events)
    started = perf_counter()
    held = held_types()
    handled = [_handle(event, held=held) for event in events]
    open_ones = [each for each in handled if each.result is None]
    report = apply([_fact_set(each) for each in open_ones], at=at)
    for each, applied in zip(open_ones, report.applied, strict=True):
        each.result = _result(applied)
        each.event.order_id = applied.order_id or each.event.order_id
        each.event.subscription_id = applied.subscription_id or each.event.subscription_id
    batch.new_references = report.new_references
    batch.unmatched = [each.event.pk for each in handled if _is_unmatched(each)]
    spent = round((perf_counter() - started) * 1_000_000 / len(events))
    mark([(each.event, _decided(each)) for each in handled], at=at, duration_us=spent)
    batch.failed_groups = failed_groups(each.event for each in handled)
    save_exceptions(_untaken_money(handled), at=at)
    enqueue(_look_ups(handled), at=at)


def failed_groups(events: Iterable[PaymentEvent]) -> set[str]:
    """How those of them failed that did; what only waits for its order is no fault of a handler."""
    return {each.error_group for each in events if each.error_group and each.error_kind != UNKNOWN_ORDER}


def _look_ups(handled: Iterable[HandledEvent]) -> Iterator[EffectRequest]:
    for each in handled:
        for asked in each.look_ups:
            event = each.event.stripe_event_id
            data = {"event": event, "object": asked.name}
            yield EffectRequest(f"{LOOK_UP_KIND}:{event}", LOOK_UP_KIND, None, data=data)


def _take_request_ids(events: Iterable[PaymentEvent]) -> None:
    """In memory: what a further delivery queued again is tried on behalf of that delivery's request."""
    again = {event.pk: event for event in events if event.attempts and event.trigger == Trigger.DELIVERY}
    if again:
        rows = Redelivery.objects.filter(event__in=again).order_by("pk").values_list("event_id", "request_id")
        for event_id, request_id in rows:
            again[event_id].request_id = request_id


def _handle(event: PaymentEvent, *, held: frozenset[str]) -> HandledEvent:
    """Ask the event's handler what it says: pure, so that any error is this event's own."""
    event.mentions = event.mentions or mentions_of(event.payload)
    if reason := _why_foreign(event):
        return HandledEvent(event, result=AttemptResult(EventStatus.IGNORED, reason=reason))
    if event.type in held or ALL_TYPES in held:
        return HandledEvent(event, result=AttemptResult(EventStatus.HELD))
    handler = HANDLERS.get(event.type)
    if handler is None:
        reason = THIN_EVENT if event.payload.get("object") == THIN else NO_HANDLER
        return HandledEvent(event, result=AttemptResult(EventStatus.IGNORED, reason=reason))
    said = guarded(lambda: list(handler(view_of(event))))
    if isinstance(said, Exception):
        return HandledEvent(event, result=AttemptResult.failed(said))
    facts = [fact for fact in said if not isinstance(fact, NoFacts)]
    if not facts:
        look_ups = [each for each in said if isinstance(each, LookUp)]
        if look_ups:
            return HandledEvent(event, result=AttemptResult(EventStatus.PROCESSED), look_ups=look_ups)
        reasons = [nothing.reason for nothing in said if isinstance(nothing, NoFacts)]
        return HandledEvent(
            event, result=AttemptResult(EventStatus.IGNORED, reason=(reasons or ["nothing to apply"])[0])
        )
    event.references = list(dict.fromkeys(name for fact in facts for name in references_to_wait_for(fact)))
    return HandledEvent(event, facts=facts)


def _why_foreign(event: PaymentEvent) -> str:
    """Asked again here: a replay must not let test money pay for real orders."""
    is_our_account = event.account in ("", settings.STRIPE_ACCOUNT)
    return why_foreign(event.livemode == settings.STRIPE_LIVEMODE, is_our_account)


def view_of(event: PaymentEvent) -> EventView:
    """The event as handlers see it."""
    is_thin = event.payload.get("object") == THIN
    data = {"object": named_by(event.payload)} if is_thin else event.payload["data"]
    return EventView(
        id=event.stripe_event_id,
        type=event.type,
        occurred_at=event.occurred_at,
        object=data["object"],
        api_version=event.api_version,
        previous=data.get("previous_attributes") or {},
    )


def _fact_set(handled: HandledEvent) -> FactSet:
    event = handled.event
    return FactSet(
        facts=handled.facts,
        source=event.stripe_event_id,
        occurred_at=event.occurred_at,
        event_id=event.pk,
        request_id=event.request_id,
        follow_always=event.trigger == Trigger.REPLAY,
    )


def _result(applied: ApplyResult) -> AttemptResult:
    if applied.error:
        return AttemptResult.failed(applied.error)
    if applied.reason:
        return AttemptResult(EventStatus.IGNORED, reason=applied.reason)
    changes = [{"what": what, "before": before, "after": after} for what, before, after in applied.folded.changes]
    return AttemptResult(EventStatus.PROCESSED, changes=changes)


def _decided(handled: HandledEvent) -> AttemptResult:
    assert handled.result is not None
    return handled.result


def _is_unmatched(handled: HandledEvent) -> bool:
    result = handled.result
    return result is not None and result.status == EventStatus.IGNORED and result.reason == UNMATCHED


@mails("alert.event_dead")
def event_dead(effect: Effect) -> Mail | Skip:
    """Never skipped: it speaks of a kind of failure; the event that it names is only the first example."""
    event = PaymentEvent.objects.filter(stripe_event_id=effect.data["event"]).first()
    context = {**effect.data, "error": event.error if event else "", "order": event.order if event else None}
    return to_staff(context, page=event or reverse("admin:payments_paymentevent_changelist"))
