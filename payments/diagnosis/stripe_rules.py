"""What Stripe's answers mean: money that nobody here heard of, events that never came."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from payments.diagnosis.endpoint_rules import endpoint_findings
from payments.diagnosis.findings import Finding, Remedy, Severity
from payments.diagnosis.records import Records
from payments.diagnosis.stripe_answers import StripeAnswers
from payments.ledger.models import PaymentEvent
from payments.money import format_amount
from payments.orders.models import Order
from payments.statuses import WAS_PAID
from payments.stripe_api.snapshots import Json

# https://docs.stripe.com/api/checkout/sessions/object#checkout_session_object-payment_status
SETTLED = ("paid", "no_payment_required")
StripeRule = Callable[[StripeAnswers, Records], Iterator[Finding]]


def findings_of(answers: StripeAnswers, records: Records) -> Iterator[Finding]:
    """Everything that the answers say."""
    for code, severity, find in RULES:
        for each in find(answers, records):
            yield replace(each, code=code, severity=severity)
    yield from (each for each in endpoint_findings(answers) if each.severity is Severity.PROBLEM)


def _sessions(answers: StripeAnswers, records: Records) -> Iterator[tuple[Order, str, Json]]:
    for order in records.orders:
        page = records.last_checkout(order)
        if page and page.session in answers.objects:
            yield order, page.session, answers.objects[page.session]


def _price(session: Json) -> str:
    return format_amount(int(session.get("amount_total") or 0), str(session.get("currency") or "eur"))


def paid_unheard(answers: StripeAnswers, records: Records) -> Iterator[Finding]:
    """Stripe has the money, and nothing here says so."""
    for order, name, session in _sessions(answers, records):
        if session.get("payment_status") in SETTLED and order.status not in WAS_PAID:
            told = _("Stripe says that %(session)s is paid (%(amount)s); here %(order)s is not.")
            values = {"session": name, "amount": _price(session), "order": order.number}
            remedy = Remedy(
                _("Compare with Stripe and put right what differs: the money is then taken in as by its event."),
                row=order, action="resync_order_action", command=f"manage.py resync order {order.number}",
            )  # fmt: skip
            yield Finding(told % values, order, (), remedy)


def unpaid_there(answers: StripeAnswers, records: Records) -> Iterator[Finding]:
    """Nobody has paid, says Stripe."""
    for order, name, session in _sessions(answers, records):
        if session.get("payment_status") not in SETTLED:
            is_open = session.get("status") == "open"
            told = (
                _("Stripe says that the payment page %(session)s is open, and that nobody has paid.")
                if is_open
                else _("Stripe says that the payment page %(session)s is over, and that nobody has paid.")
            )
            yield Finding(told % {"session": name}, order)


def paid_there(answers: StripeAnswers, records: Records) -> Iterator[Finding]:
    """Both sides say the same."""
    for order, name, session in _sessions(answers, records):
        if session.get("payment_status") in SETTLED and order.status in WAS_PAID:
            told = _("Stripe says the same: %(session)s is paid (%(amount)s).")
            yield Finding(told % {"session": name, "amount": _price(session)}, order)


def other_state(answers: StripeAnswers, records: Records) -> Iterator[Finding]:
    """A subscription has another state at Stripe."""
    for row in records.subscriptions:
        status = str(answers.objects.get(row.stripe_id, {}).get("status") or row.status)
        if status != row.status:
            told = _("%(subscription)s is “%(there)s” at Stripe and “%(here)s” here.")
            values = {"subscription": row.stripe_id, "there": status, "here": row.status}
            remedy = Remedy(
                _("Compare with Stripe and put right what differs."), row=row, action="resync_subscription_action",
                command=f"manage.py resync subscription {row.stripe_id}",
            )  # fmt: skip
            yield Finding(told % values, row, (), remedy)


def missing_events(answers: StripeAnswers, records: Records) -> Iterator[Finding]:
    """Events that Stripe has and the ledger has not: how far their delivery has come."""
    ids = {str(event["id"]) for event in answers.events}
    known = set(PaymentEvent.objects.filter(stripe_event_id__in=ids).values_list("stripe_event_id", flat=True))
    for event in answers.events:
        if event["id"] in known:
            continue
        pending = int(event.get("pending_webhooks") or 0)
        told = _("%(event)s (%(type)s) never came. Stripe has delivered it, but to other addresses than ours.")
        if pending:
            told = ngettext(
                "%(event)s (%(type)s) never came. Stripe still tries: %(count)d endpoint has not confirmed it.",
                "%(event)s (%(type)s) never came. Stripe still tries: %(count)d endpoints have not confirmed it.",
                pending,
            )
        values = {"event": event["id"], "type": event["type"], "count": pending}
        about = records.orders[0] if records.orders else None
        remedy = Remedy(
            _("Let Stripe send it again, in its Dashboard (Developers › Events › Resend) or with its command line."),
            command=f"stripe events resend {event['id']}",
        )  # fmt: skip
        yield Finding(told % values, about, (), remedy)


def known_there_only(answers: StripeAnswers, records: Records) -> Iterator[Finding]:
    """The name that was asked for: at Stripe, not here."""
    name = records.named.text
    if name in answers.objects and not records.owners and not name.startswith("evt_"):
        kind = "subscription" if name.startswith("sub_") else "order"
        can_be_taken_in = name.startswith(("cs_", "pi_", "sub_"))
        remedy = Remedy(
            _("If it is ours, it can be taken in; otherwise the answer says whose it is."),
            command=f"manage.py resync {kind} {name}" if can_be_taken_in else "",
        )  # fmt: skip
        yield Finding(_("Stripe knows %(name)s; nothing here belongs to it.") % {"name": name}, None, (), remedy)


def unknown_there(answers: StripeAnswers, _records: Records) -> Iterator[Finding]:
    """Names that Stripe does not know: made with other keys, or in the other mode."""
    mode = _("live mode") if settings.STRIPE_LIVEMODE else _("test mode")
    for name in answers.missing:
        told = _("Stripe does not know %(name)s (asked with the key of this site, %(mode)s).")
        yield Finding(told % {"name": name, "mode": mode})


def not_checked(answers: StripeAnswers, _records: Records) -> Iterator[Finding]:
    """What Stripe did not answer."""
    if answers.unchecked:
        what = ", ".join(f"{what} ({why})" for what, why in answers.unchecked)
        told = _("Stripe could not be asked about everything. Not checked: %(what)s.") % {"what": what}
        yield Finding(told, remedy=Remedy(_("Ask again in a minute.")))


RULES: tuple[tuple[str, Severity, StripeRule], ...] = (
    ("stripe.paid_unheard", Severity.PROBLEM, paid_unheard),
    ("stripe.other_state", Severity.PROBLEM, other_state),
    ("event.missing", Severity.PROBLEM, missing_events),
    ("stripe.known_there_only", Severity.PROBLEM, known_there_only),
    ("stripe.not_checked", Severity.NOTE, not_checked),
    ("stripe.unknown_there", Severity.NOTE, unknown_there),
    ("stripe.unpaid", Severity.NOTE, unpaid_there),
    ("stripe.agrees", Severity.FINE, paid_there),
)
