"""What became of Stripe's events: waiting, failed, given up, held, ignored, unmatched, another site's, never here."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext

from payments.diagnosis.causes import cause_of
from payments.diagnosis.findings import Finding, Remedy, Severity, moment, rule
from payments.diagnosis.records import NEWS_OF_PAYMENT, Records
from payments.ledger.models import ALL_TYPES, FOREIGN_SITE, PURGED_AT, UNMATCHED, PaymentEvent, RefusedDeliveries
from payments.ledger.read_event import UNEXPECTED_ACCOUNT, WRONG_LIVEMODE
from payments.orders.models import Order
from payments.processing.process import NO_HANDLER
from payments.statuses import OPEN_STATUSES, EventStatus

# A worker takes what has come within seconds; after that nobody seems to.
WORKER_IS_LATE = timedelta(minutes=1)
# Between a payment and its event there are seconds; and a clock may be wrong.
AROUND = timedelta(hours=1)
REASONS = {
    WRONG_LIVEMODE: gettext_lazy("it is of test mode and this site of live mode, or the other way round"),
    UNEXPECTED_ACCOUNT: gettext_lazy("it is of another Stripe account (STRIPE_ACCOUNT)"),
    NO_HANDLER: gettext_lazy("events of this type are not used here"),
}
# What handlers say, word for word.
HANDLERS_SAY = (
    gettext_noop("nothing was captured, so no money went back: a hold on the card was released"),
    gettext_noop("a card was saved for later; that pays nothing"),
    gettext_noop("the invoice belongs to no subscription"),
    gettext_noop("it names no invoice and payment of Stripe"),
    gettext_noop("a session in setup mode pays nothing"),
    gettext_noop("the session is not paid"),
    gettext_noop("nothing to apply"),
)
# Any stranger can send a request without a signature: that means something where nothing else arrives.
STRANGERS = "missing_signature"
REFUSALS_READ = 500


def _about(event: PaymentEvent, **more: object) -> dict[str, object]:
    return {"event": event.stripe_event_id, "type": event.type, **more}


def _replay(event: PaymentEvent, sentence: str) -> Remedy:
    return Remedy(
        sentence, row=event, action="replay", command=f"manage.py replay_events --ids {event.stripe_event_id}"
    )


@rule("event.dead", Severity.PROBLEM)
def dead_events(records: Records) -> Iterator[Finding]:
    """Given up after the last try."""
    for event in records.events_in(EventStatus.DEAD):
        sentence = _("%(event)s (%(type)s) was given up after %(number)d attempts: %(error)s")
        told = sentence % _about(event, number=event.attempts, error=_error(event))
        yield Finding(
            told, records.owner_of(event), [event], _replay(event, _("Remove the cause, then replay the event."))
        )


@rule("event.held", Severity.PROBLEM)
def held_events(records: Records) -> Iterator[Finding]:
    """Set aside because staff hold its type."""
    for event in records.events_in(EventStatus.HELD):
        held = records.held.get(event.type) or records.held.get(ALL_TYPES)
        sentence = (
            _("%(event)s (%(type)s) is held back: %(reason)s") if held else _("%(event)s (%(type)s) is held back.")
        )
        remedy = Remedy(
            _("Release the type: then it is processed, with all that wait beside it."),
            row=held or event,
            action="release" if held else "",
        )
        about = _about(event, reason=held.reason if held else "")
        yield Finding(sentence % about, records.owner_of(event), [event, *([held] if held else [])], remedy)


@rule("event.failed", Severity.WAITING)
def failed_events(records: Records) -> Iterator[Finding]:
    """Tried again by itself, later."""
    for event in records.events_in(EventStatus.FAILED):
        sentence = _("%(event)s (%(type)s) has failed %(number)d times (next try: %(moment)s): %(error)s")
        about = _about(event, number=event.attempts, error=_error(event), moment=moment(event.next_attempt_at))
        remedy = _replay(
            event, _("It is tried again by itself. Once the cause is gone, a replay does not wait for that.")
        )
        yield Finding(sentence % about, records.owner_of(event), [event], remedy)


@rule("event.waiting", Severity.WAITING)
def waiting_events(records: Records) -> Iterator[Finding]:
    """Received, and no worker has taken it."""
    for event in records.events_in(EventStatus.RECEIVED):
        if records.at - event.next_attempt_at < WORKER_IS_LATE:
            continue
        sentence = _("%(event)s (%(type)s) waits to be processed (since %(moment)s).")
        remedy = Remedy(_("Check that the worker runs, or process by hand what waits."), command="manage.py drain")
        told = sentence % _about(event, moment=moment(event.next_attempt_at))
        yield Finding(told, records.owner_of(event), [event], remedy)


def _error(event: PaymentEvent) -> str:
    return f"{event.error_kind}: {event.error}" if event.error_kind else event.error


def _ignored(records: Records) -> Iterator[PaymentEvent]:
    """Those that were asked for, and those that tell of money that is missing here."""
    asked = {row.pk for row in records.named.events}
    for event in records.events_in(EventStatus.IGNORED):
        owner = records.owner_of(event)
        waits = not isinstance(owner, Order) or owner.status in OPEN_STATUSES
        if event.pk in asked or (waits and event.type in NEWS_OF_PAYMENT):
            yield event


@rule("event.unmatched", Severity.PROBLEM)
def unmatched_events(records: Records) -> Iterator[Finding]:
    """Nothing that it names is known here."""
    for event in _ignored(records):
        if event.ignored_reason == UNMATCHED:
            sentence = _("%(event)s (%(type)s) names nothing that is known here: %(names)s.")
            about = _about(event, names=", ".join(event.references or event.mentions) or event.object_id)
            yield Finding(sentence % about, records.owner_of(event), [event], _take_in(event))


def _take_in(event: PaymentEvent) -> Remedy:
    session = next((name for name in (event.object_id, *event.mentions) if name.startswith(("cs_", "pi_", "sub_"))), "")
    kind = "subscription" if session.startswith("sub_") else "order"
    sentence = _(
        "It is taken by itself once what it names is made or imported. What is ours at Stripe can be taken in now."
    )
    return Remedy(sentence, command=f"manage.py resync {kind} {session}" if session else "")


@rule("event.foreign_site", Severity.NOTE)
def foreign_events(records: Records) -> Iterator[Finding]:
    """Made by another site that uses the same Stripe account."""
    for event in _ignored(records):
        if event.ignored_reason == FOREIGN_SITE:
            sentence = _("%(event)s (%(type)s) was made by another site of the same Stripe account.")
            yield Finding(sentence % _about(event), records.owner_of(event), [event])


@rule("event.ignored", Severity.NOTE)
def ignored_events(records: Records) -> Iterator[Finding]:
    """Not our business, and why."""
    for event in _ignored(records):
        if event.ignored_reason not in (UNMATCHED, FOREIGN_SITE):
            reason = REASONS.get(event.ignored_reason) or _(event.ignored_reason)
            sentence = _("%(event)s (%(type)s) was ignored: %(reason)s.") % _about(event, reason=reason)
            yield Finding(sentence, records.owner_of(event), [event])


@rule("event.processed", Severity.FINE)
def processed_events(records: Records) -> Iterator[Finding]:
    """What was asked for by name, and is done."""
    for event in records.named.events:
        if event.status == EventStatus.PROCESSED:
            sentence = _("%(event)s (%(type)s) was processed (%(moment)s).")
            told = sentence % _about(event, moment=moment(event.processed_at))
            yield Finding(told, records.owner_of(event), [event])


@rule("event.purged", Severity.NOTE)
def purged_events(records: Records) -> Iterator[Finding]:
    """Of what was asked for by name only the skeleton is here."""
    named = [event.pk for event in records.named.events]
    for event in PaymentEvent.objects.filter(pk__in=named, payload__has_key=PURGED_AT) if named else ():
        sentence = _("The payload of %(event)s (%(type)s) was purged (%(moment)s); what became of it is still known.")
        told = sentence % _about(event, moment=moment(event.purged_at))
        yield Finding(told, records.owner_of(event), [event])


@rule("event.never_came", Severity.NOTE)
def silent_orders(records: Records) -> Iterator[Finding]:
    """A payment page was opened, and no event has told of a payment: nobody has paid, or its event did not come."""
    for order in records.orders:
        checkout = records.last_checkout(order)
        if order.status not in OPEN_STATUSES or checkout is None:
            continue
        if any(event.type in NEWS_OF_PAYMENT for event in records.events_about(order)):
            continue
        remedy = Remedy(
            _("If they say that they have paid, ask Stripe. What differs can then be put right."),
            row=order, action="resync_order_action", command=f"manage.py resync order {order.number}",
        )  # fmt: skip
        told = _("No event has told of a payment for %(order)s.") % {"order": order.number}
        yield Finding(told, order, (), remedy)


@rule("event.refused", Severity.PROBLEM)
def refused_deliveries(records: Records) -> Iterator[Finding]:
    """While something here waited for its event, deliveries were refused: its own may be among them."""
    waiting = [each for each in silent_orders(records) if isinstance(each.about, Order)]
    if not waiting:
        return
    first = min((each.about for each in waiting if isinstance(each.about, Order)), key=lambda order: order.created_at)
    for row, count in _refusals_since(first.created_at):
        cause, remedy = cause_of(row.code)
        sentence = ngettext(
            "While %(order)s waited, %(count)d delivery of a webhook was refused: %(cause)s",
            "While %(order)s waited, %(count)d deliveries of webhooks were refused: %(cause)s",
            count,
        )
        told = sentence % {"order": first.number, "count": count, "cause": cause}
        yield Finding(told, first, [row], Remedy(remedy, command="manage.py diagnose --webhooks"))


def _refusals_since(begin: datetime) -> list[tuple[RefusedDeliveries, int]]:
    """For each reason its last row, and how often; the most frequent first."""
    rows = RefusedDeliveries.objects.filter(hour__gt=begin - AROUND).order_by("-hour")[:REFUSALS_READ]
    by_code: dict[str, list[RefusedDeliveries]] = {}
    for row in rows:
        by_code.setdefault(row.code, []).append(row)
    if STRANGERS in by_code and PaymentEvent.objects.filter(received_at__gt=begin).exists():
        del by_code[STRANGERS]
    return sorted(((own[0], sum(row.count for row in own)) for own in by_code.values()), key=lambda pair: -pair[1])


@rule("request.refused", Severity.PROBLEM)
def refused_requests(records: Records) -> Iterator[Finding]:
    """The request that was named is one that was refused."""
    for row in records.named.refusals:
        cause, remedy = cause_of(row.code)
        sentence = ngettext(
            "This delivery was refused (%(moment)s): %(cause)s",
            "This delivery was refused, as %(count)d of that hour were (%(moment)s): %(cause)s",
            row.count,
        )
        told = sentence % {"count": row.count, "moment": moment(row.last_at), "cause": cause}
        yield Finding(told, row, (), Remedy(remedy))
