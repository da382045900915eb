"""What changed, in sentences; and who brought it about, as the history's source names them."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from payments.money import format_amount
from payments.orders.labels import name_of, value_of
from payments.orders.models import OrderChange
from payments.products import all_products
from payments.statuses import DisputeState, OrderStatus, SubscriptionStatus
from payments.timeline.moments import Kind
from payments.timeline.standing import day_of
from payments.timeline.statements import Statement

Label = str | Promise
CLEAN_UP = "clean-up"
# The words of the history for what staff do by hand; its "after" is their reason.
STAFF_ACTS: dict[str, Label] = {
    "freed": gettext_lazy("The place was freed by hand."),
    "called off": gettext_lazy("The activity was called off."),
    "address": gettext_lazy("The address was corrected."),
    "message": gettext_lazy("The message was sent again."),
    "again": gettext_lazy("The refund was tried again."),
    "ended": gettext_lazy("The end of the subscription was asked for."),
}
STATES: dict[str, Label] = {
    OrderStatus.PENDING: gettext_lazy("The order waits for payment again."),
    OrderStatus.ACTION_REQUIRED: gettext_lazy("The buyer must confirm with their bank."),
    OrderStatus.PROCESSING: gettext_lazy("The payment is under way."),
    OrderStatus.FAILED: gettext_lazy("The payment failed."),
    OrderStatus.EXPIRED: gettext_lazy("The order has expired, nothing was paid."),
    OrderStatus.CANCELED: gettext_lazy("The order was canceled, nothing was paid."),
    OrderStatus.PAID: gettext_lazy("The order is paid."),
    OrderStatus.REFUNDED: gettext_lazy("All of the money has gone back."),
    SubscriptionStatus.INCOMPLETE: gettext_lazy("The first payment is missing."),
    SubscriptionStatus.INCOMPLETE_EXPIRED: gettext_lazy("The first payment never came."),
    SubscriptionStatus.TRIALING: gettext_lazy("The trial has begun."),
    SubscriptionStatus.ACTIVE: gettext_lazy("The subscription is active."),
    SubscriptionStatus.PAST_DUE: gettext_lazy("The payment is overdue."),
    SubscriptionStatus.UNPAID: gettext_lazy("The subscription is unpaid."),
    SubscriptionStatus.PAUSED: gettext_lazy("The subscription is paused."),
    SubscriptionStatus.CANCELED: gettext_lazy("The subscription has ended."),
}
DISPUTE_STATES: dict[str, Label] = {
    DisputeState.NONE: gettext_lazy("Nothing is disputed any more."),
    DisputeState.INQUIRY: gettext_lazy("The bank asks about the payment; no money has moved."),
    DisputeState.OPEN: gettext_lazy("The bank holds the money until the dispute is decided."),
    DisputeState.LOST: gettext_lazy("The dispute has taken the money."),
}
SINCE_PAID_AGAIN = gettext_noop("A refund did not arrive: the order is paid again.")
# What the resync alone tells, field by field, and people need not read twice.
SILENT = ("details", "name")
NOTHING = ("", "0")


@dataclass(frozen=True, slots=True)
class Author:
    """Who brought a change about. `sentence`: what they did; `reason`: why, in their words."""

    kind: Kind
    sentence: str
    by: str = ""
    reason: str = ""


# Sources that name no person: who speaks, and what they did.
SOURCES: dict[str, tuple[Kind, Label]] = {
    "buyer": (Kind.BUYER, gettext_lazy("The buyer cannot come.")),
    "checkout": (Kind.BUYER, gettext_lazy("A new payment was begun.")),
    "account": (Kind.BUYER, gettext_lazy("Changed in the buyer’s account.")),
    "modules": (Kind.BUYER, gettext_lazy("The buyer began another order instead.")),
    "account joined": (Kind.SYSTEM, gettext_lazy("What was bought with this address joined the account.")),
    "called off": (Kind.SYSTEM, gettext_lazy("The activity was called off.")),
    "clean-up": (Kind.SYSTEM, gettext_lazy("The time to pay was over.")),
    "free of charge": (Kind.SYSTEM, gettext_lazy("There was nothing to pay.")),
    "modules of the plan": (Kind.SYSTEM, gettext_lazy("What the plan opens has changed.")),
    "places became free": (Kind.SYSTEM, gettext_lazy("A place became free.")),
    "product": (Kind.SYSTEM, gettext_lazy("What was bought followed.")),
}
RESYNC = "resync: "
ASKED_BY_ITSELF: dict[str, Label] = {
    "return from Checkout": gettext_lazy("The buyer came back from the payment page, and Stripe was asked at once."),
    "timetable": gettext_lazy("Stripe was asked by the timetable."),
    "resync": gettext_lazy("Stripe was asked."),
}
COMPARED = gettext_lazy("Compared with Stripe, and applied.")
# "ada@example.com: a webhook was missing", "manage.py resync", "ada@example.com".
PERSON = re.compile(r"(?P<by>[^\s:]+@[^\s:]+|manage\.py \w+)(: (?P<reason>.*))?", re.DOTALL)


def author_of(source: str) -> Author:
    """Whom the history's source names. What it does not say, and events, are this site's doing."""
    is_asked, told = source.startswith(RESYNC), source.removeprefix(RESYNC)
    if is_asked and told in ASKED_BY_ITSELF:
        return Author(Kind.SYSTEM, str(ASKED_BY_ITSELF[told]))
    if person := PERSON.fullmatch(told):
        done = str(COMPARED) if is_asked else _("Decided by staff.")
        return Author(Kind.STAFF, done, person["by"], person["reason"] or "")
    if told.startswith("evt_"):
        return Author(Kind.STRIPE, _("Told by an event that is no longer kept."))
    kind, sentence = SOURCES.get(told, (Kind.SYSTEM, told))
    return Author(kind, str(sentence))


def sentences_of(changes: Sequence[OrderChange], told: Statement) -> tuple[str, ...]:
    """What these changes, which came about together, say; each thing once."""
    names = {change.field for change in changes}
    return tuple(dict.fromkeys(filter(None, (_sentence(change, told, names) for change in changes))))


def _sentence(change: OrderChange, told: Statement, names: Collection[str]) -> str:
    currency, noun = told.owner.currency, change.field.partition(" ")[0]
    if noun in SILENT and noun != change.field:
        return ""
    for product in all_products():
        if sentence := product.told_change(change.field, change.before, change.after):
            return sentence
    if write := SENTENCES.get(change.field if noun not in NOUNS else noun):
        return write(change, told, names)
    return _from_to(change, currency=currency)


def _from_to(change: OrderChange, *, currency: str) -> str:
    before, after = (value_of(change.field, text, currency=currency) for text in (change.before, change.after))
    values = after if change.before in NOTHING else f"{before} → {after}"
    return f"{name_of(change.field)}: {values.rstrip('.')}."  # in English a time ends with a full stop of its own


def _state(change: OrderChange, _told: Statement, _names: Collection[str]) -> str:
    if (change.before, change.after) == (OrderStatus.REFUNDED, OrderStatus.PAID):
        return _(SINCE_PAID_AGAIN)
    return str(STATES.get(change.after, change.after))


def _received(change: OrderChange, told: Statement, _names: Collection[str]) -> str:
    amount = _rise(change, told)
    return _("%(amount)s received.") % {"amount": amount} if amount else _from_to(change, currency=told.owner.currency)


def _refunded(change: OrderChange, told: Statement, names: Collection[str]) -> str:
    if any(name.startswith("refund re") for name in names):
        return ""  # the refund itself says so
    amount = _rise(change, told)
    return _("%(amount)s refunded.") % {"amount": amount} if amount else _from_to(change, currency=told.owner.currency)


def _rise(change: OrderChange, told: Statement) -> str:
    """By how much an amount has risen; "" if it has not."""
    before, after = (_units(text) for text in (change.before, change.after))
    return format_amount(after - before, told.owner.currency) if after > before and told.owner.currency else ""


def _units(text: str) -> int:
    number = text.partition(" ")[0]
    return int(number) if number.isdecimal() else 0


def _money_of_invoice(change: OrderChange, told: Statement, _names: Collection[str]) -> str:
    what = change.field.partition(" ")[0]
    if not (amount := _rise(change, told)):
        return _from_to(change, currency=told.owner.currency)
    return (_("%(amount)s received.") if what == "paid" else _("%(amount)s refunded.")) % {"amount": amount}


def _refund(change: OrderChange, told: Statement, _names: Collection[str]) -> str:
    row = next((each for each in told.refunds if each.stripe_id == change.field.partition(" ")[2]), None)
    state = _lower(value_of(change.field, change.after, currency=told.owner.currency))
    if row is None:
        return f"{name_of(change.field)}: {state}."
    return _("Refund of %(amount)s: %(state)s.") % {"amount": format_amount(row.amount, row.currency), "state": state}


def _dispute(change: OrderChange, told: Statement, _names: Collection[str]) -> str:
    row = next((each for each in told.disputes if each.stripe_id == change.field.partition(" ")[2]), None)
    state = _lower(value_of(change.field, change.after, currency=told.owner.currency))
    if row is None:
        return f"{name_of(change.field)}: {state}."
    return _("Dispute of %(amount)s: %(state)s.") % {"amount": format_amount(row.amount, row.currency), "state": state}


def _dispute_state(change: OrderChange, _told: Statement, _names: Collection[str]) -> str:
    return str(DISPUTE_STATES.get(change.after, change.after))


def _clean_up(change: OrderChange, _told: Statement, _names: Collection[str]) -> str:
    return _(change.after)  # kept as an English sentence, marked where it was written


def _lower(words: str) -> str:
    return words[:1].lower() + words[1:]


def _period(change: OrderChange, _told: Statement, _names: Collection[str]) -> str:
    return _("The period ends on %(day)s.") % {"day": _day(change.after)}


def _day(stored: str) -> str:
    moment = parse_datetime(stored)
    return day_of(moment) if moment and moment.tzinfo else stored


def _planned_end(change: OrderChange, _told: Statement, _names: Collection[str]) -> str:
    if not change.after:
        return _("It goes on: the planned end was withdrawn.")
    return _("It ends on %(day)s.") % {"day": _day(change.after)}


def _end(_change: OrderChange, _told: Statement, names: Collection[str]) -> str:
    return "" if "status" in names else _("The subscription has ended.")


def _paid_at(change: OrderChange, told: Statement, names: Collection[str]) -> str:
    """The state says that it is paid, and the line says when."""
    return "" if "status" in names else _from_to(change, currency=told.owner.currency)


NOUNS = ("refund", "dispute", "paid", "refunded")
SENTENCES: dict[str, Callable[[OrderChange, Statement, Collection[str]], str]] = {
    "status": _state, "amount_received": _received, "amount_refunded": _refunded, "dispute_state": _dispute_state,
    "refund": _refund, "dispute": _dispute, "paid": _money_of_invoice, "refunded": _money_of_invoice,
    CLEAN_UP: _clean_up, "period_end": _period, "cancel_at": _planned_end, "ended_at": _end,
    "paid_at": _paid_at,
}  # fmt: skip
