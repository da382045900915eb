"""What Stripe said, and what followed: each event with the changes that it brought about, and what became of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Q, QuerySet
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce, JSONObject
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from payments.ledger.models import AttemptOutcome, EventAttempt, PaymentEvent, Trigger
from payments.orders.models import OrderChange
from payments.statuses import EventStatus
from payments.timeline.changes import STAFF_ACTS, author_of, sentences_of
from payments.timeline.moments import Kind, Moment
from payments.timeline.statements import Statement

CHANGE, EVENT = "payments.orderchange", "payments.paymentevent"
# News that took longer say when they were learned.
USUAL_DELAY = timedelta(minutes=2)
ERROR_MAX_CHARS = 200
SAID: dict[str, Promise] = {
    "checkout.session.completed": gettext_lazy("Checkout was completed."),
    "checkout.session.async_payment_succeeded": gettext_lazy("The delayed payment arrived."),
    "checkout.session.async_payment_failed": gettext_lazy("The delayed payment failed."),
    "checkout.session.expired": gettext_lazy("The payment page expired."),
    "payment_intent.succeeded": gettext_lazy("The payment succeeded."),
    "payment_intent.payment_failed": gettext_lazy("The payment was declined."),
    "payment_intent.canceled": gettext_lazy("The payment was canceled."),
    "payment_intent.requires_action": gettext_lazy("The bank asks the buyer to confirm the payment."),
    "payment_intent.processing": gettext_lazy("The payment is being processed."),
    "charge.refunded": gettext_lazy("Money was refunded."),
    "refund.created": gettext_lazy("A refund was created."),
    "refund.updated": gettext_lazy("A refund changed."),
    "refund.failed": gettext_lazy("A refund failed."),
    "charge.refund.updated": gettext_lazy("A refund changed."),
    "charge.dispute.created": gettext_lazy("A dispute was opened."),
    "charge.dispute.updated": gettext_lazy("A dispute changed."),
    "charge.dispute.closed": gettext_lazy("A dispute was closed."),
    "charge.dispute.funds_withdrawn": gettext_lazy("The bank withdrew the disputed money."),
    "charge.dispute.funds_reinstated": gettext_lazy("The disputed money came back."),
    "radar.early_fraud_warning.created": gettext_lazy("A card network warned of fraud."),
    "radar.early_fraud_warning.updated": gettext_lazy("A fraud warning changed."),
    "customer.created": gettext_lazy("The customer was created."),
    "customer.updated": gettext_lazy("The customer changed."),
    "customer.deleted": gettext_lazy("The customer was deleted."),
    "setup_intent.succeeded": gettext_lazy("A payment method was saved."),
    "customer.subscription.created": gettext_lazy("The subscription was created."),
    "customer.subscription.updated": gettext_lazy("The subscription changed."),
    "customer.subscription.deleted": gettext_lazy("The subscription ended."),
    "customer.subscription.paused": gettext_lazy("The subscription was paused."),
    "customer.subscription.resumed": gettext_lazy("The subscription was resumed."),
    "customer.subscription.trial_will_end": gettext_lazy("The trial ends soon."),
    "invoice.paid": gettext_lazy("An invoice was paid."),
    "invoice.payment_succeeded": gettext_lazy("An invoice was paid."),
    "invoice.payment_failed": gettext_lazy("The payment of an invoice failed."),
    "invoice.payment_action_required": gettext_lazy("The bank asks the customer to confirm a payment."),
    "invoice.finalization_failed": gettext_lazy("An invoice could not be finalized."),
    "invoice_payment.paid": gettext_lazy("A payment was matched to an invoice."),
}
# What products did because of the change before (payments.apply).
PRODUCT = "product"
ERROR = "payload__data__object__last_payment_error__"


def events_of(owned: Q, *, limit: int) -> "QuerySet[PaymentEvent]":
    """The newest of them, as they are told; one query."""
    rows = PaymentEvent.objects.filter(owned).defer("payload", "references", "mentions")
    return with_tries(rows).order_by("-pk")[:limit]


def with_tries(rows: "QuerySet[PaymentEvent]") -> "QuerySet[PaymentEvent]":
    """Each with its tries that failed or were asked for, and why a payment was declined."""
    names = {name: name for name in ("trigger", "outcome", "started_at")}
    told = JSONObject(**names, reason="requested_reason", by="requested_by__email")
    tries = EventAttempt.objects.filter(event=OuterRef("pk")).order_by("number")
    tries = tries.exclude(~Q(trigger=Trigger.REPLAY), outcome__in=[AttemptOutcome.PROCESSED, AttemptOutcome.IGNORED])
    declined = Coalesce(KT(f"{ERROR}decline_code"), KT(f"{ERROR}code"))
    return rows.annotate(tries=ArraySubquery(tries.values(row=told)), declined=declined)


def changes_of(owned: Q, *, limit: int) -> "QuerySet[OrderChange]":
    """The newest changes with the events that told of them; one query."""
    rows = OrderChange.objects.filter(owned).select_related("event").order_by("-pk")[:limit]
    return rows.defer("event__payload", "event__references", "event__mentions", "event__error")


def told_by_events(changes: Iterable[OrderChange], events: Iterable[PaymentEvent], told: Statement) -> Iterator[Moment]:
    """The moments of one order or subscription."""
    seen = {event.pk: event for event in events}
    groups = _grouped(sorted(changes, key=lambda change: change.pk))
    spoken = set()
    for group in groups:
        event = seen.get(group[0].event_id or 0) or group[0].event
        if event is not None:
            spoken.add(event.pk)
            yield _of_event(event, group, told)
        else:
            yield from _of_source(group, told)
    for event in seen.values():
        if event.pk not in spoken:
            yield _of_event(event, (), told)
        yield from _replays(event)


def _grouped(changes: Sequence[OrderChange]) -> list[list[OrderChange]]:
    """What came about together: by one event or person, with what the products did because of it."""
    groups: list[list[OrderChange]] = []
    for _key, rows in groupby(changes, key=lambda change: (change.event_id, change.source, change.learned_at)):
        group = list(rows)
        if group[0].source == PRODUCT and groups and groups[-1][0].learned_at == group[0].learned_at:
            groups[-1] += group
        else:
            groups.append(group)
    return groups


def _of_event(event: PaymentEvent, changes: Sequence[OrderChange], told: Statement) -> Moment:
    followed = (*sentences_of(changes, told), *_outcome(event, changes))
    return Moment(
        event.occurred_at, Kind.STRIPE, said(event), followed=followed, links=((event, event.stripe_event_id),),
        detail=" · ".join(filter(None, (getattr(event, "declined", None), _late(event, changes)))),
        tells_of=(CHANGE,) if changes else (EVENT,),
    )  # fmt: skip


def said(event: PaymentEvent) -> str:
    """What the event says in general; Stripe's own word where we know none."""
    return str(SAID.get(event.type, event.type))


def _late(event: PaymentEvent, changes: Sequence[OrderChange]) -> str:
    learned = changes[0].learned_at if changes else event.received_at
    if learned - event.occurred_at <= USUAL_DELAY:
        return ""
    return _("Learned on %(moment)s") % {"moment": _moment(learned)}


def _outcome(event: PaymentEvent, changes: Sequence[OrderChange]) -> Iterator[str]:
    """What became of the event itself, where that is not simply that it was processed."""
    failures = [each for each in getattr(event, "tries", ()) if each["outcome"] != AttemptOutcome.PROCESSED]
    match event.status:
        case EventStatus.PROCESSED if not changes:
            yield _("It changed nothing.")
        case EventStatus.IGNORED:
            yield _("Ignored: %(reason)s.") % {"reason": event.ignored_reason}
        case EventStatus.FAILED:
            yield _("Processing it failed: %(error)s.") % {"error": _error(event)}
            yield _("Next try: %(moment)s") % {"moment": _moment(event.next_attempt_at)}
        case EventStatus.DEAD:
            yield _("Processing it was given up: %(error)s.") % {"error": _error(event)}
        case EventStatus.HELD:
            yield _("Held back: events of this type are on hold.")
        case EventStatus.RECEIVED:
            yield _("It waits to be processed.")
    if failures and event.status == EventStatus.PROCESSED:
        words = ngettext("%(count)d try failed before.", "%(count)d tries failed before.", len(failures))
        yield words % {"count": len(failures)}


def _error(event: PaymentEvent) -> str:
    return f"{event.error_kind}: {event.error}"[:ERROR_MAX_CHARS].rstrip(".")


def _replays(event: PaymentEvent) -> Iterator[Moment]:
    """Who had it processed again, and why."""
    tries: Sequence[Mapping[str, Any]] = getattr(event, "tries", ())
    for each in tries:
        started = parse_datetime(str(each["started_at"]))
        if each["trigger"] == Trigger.REPLAY and started:
            outcome = AttemptOutcome(each["outcome"]).label
            yield Moment(
                started, Kind.STAFF, _("Had an event processed again: %(said)s") % {"said": said(event)},
                followed=(str(outcome),), links=((event, event.stripe_event_id),), by=each["by"] or "",
                detail=each["reason"] or "", tells_of=(EVENT,),
            )  # fmt: skip


def _of_source(group: Sequence[OrderChange], told: Statement) -> Iterator[Moment]:
    """What no event told: a person's act, the clean-up's, the buyer's."""
    first, author = group[0], author_of(group[0].source)
    acts = [change for change in group if change.field in STAFF_ACTS]
    for act in acts:
        yield Moment(
            act.occurred_at, Kind.STAFF, str(STAFF_ACTS[act.field]), by=author.by or act.source, detail=act.after,
            tells_of=(CHANGE,),
        )  # fmt: skip
    followed = sentences_of([change for change in group if change not in acts], told)
    if not followed:
        return
    at = first.learned_at if author.kind == Kind.STAFF else first.occurred_at
    yield Moment(
        at, author.kind, author.sentence, followed=followed, by=author.by, detail=author.reason, tells_of=(CHANGE,)
    )


def _moment(moment: Any) -> str:
    return date_format(timezone.localtime(moment), "DATETIME_FORMAT")


def owned_by(told: Iterable[Statement], *, orders: str = "order", subscriptions: str = "subscription") -> Q:
    """The condition that finds what belongs to these orders and subscriptions."""
    order_ids = [each.owner.pk for each in told if each.order]
    subscription_ids = [each.owner.pk for each in told if each.subscription]
    found = Q()
    if order_ids:
        found |= Q(**{f"{orders}__in": order_ids})
    if subscription_ids:
        found |= Q(**{f"{subscriptions}__in": subscription_ids})
    return found or Q(pk__in=[])
