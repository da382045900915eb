"""The questions of the exception desk in words: what has happened, and what most likely settles it.

No sentence names a person: whoever may see the order finds them there.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from payments.apply.undelivered import IN_DOUBT, NO_PERSON, NOT_DONE
from payments.billing.alerts import FRAUD_TYPES
from payments.billing.models import Payment
from payments.billing.refund_reasons import refund_reason
from payments.money import format_amount, with_amounts
from payments.orders.fold import PART_LOST
from payments.orders.models import OrderException
from payments.statuses import ExceptionKind

Sum = tuple[int, str]
SOME_MONEY = pgettext_lazy("in the place of an amount", "Money")
SOMETHING = pgettext_lazy("in the place of what was bought", "something unknown")
# Of the values of a question, the one that is at stake.
AT_STAKE = ("amount", "disputed", "received", "due")
STAFF_MAIL_PREFIX = "alert."

SENTENCES: dict[str, Any] = {
    ExceptionKind.AMOUNT_MISMATCH: _("Received %(received)s for %(what)s, expected %(due)s"),
    ExceptionKind.SECOND_PAYMENT: _("%(amount)s paid twice for %(what)s"),
    ExceptionKind.NO_PLACE: _("%(amount)s paid for %(what)s, without a place"),
    ExceptionKind.UNKNOWN_ORDER: _("%(amount)s received for an order that does not exist"),
    ExceptionKind.UNKNOWN_SESSION: _("%(amount)s received for %(what)s through a payment page that is not ours"),
    ExceptionKind.SECOND_SUBSCRIPTION: _("Subscribed twice to %(what)s: %(amount)s more each period"),
    ExceptionKind.NOT_AT_STRIPE: _("%(subject)s of %(what)s is here, but not at Stripe"),
    ExceptionKind.PARTLY_DISPUTED: _("%(amount)s of the payment for %(what)s is disputed"),
    ExceptionKind.FRAUD_WARNING: _("%(amount)s for %(what)s may be fraud: %(fraud)s"),
    ExceptionKind.REFUND_OWED: _("%(amount)s still owed back for %(what)s: %(reason)s"),
    ExceptionKind.NOT_DELIVERED: _("A message to the buyer about %(what)s was not sent"),
    ExceptionKind.CHECKOUT_REFUSED: _("Stripe refuses the payment page of %(what)s: %(words)s"),
    ExceptionKind.UNKNOWN_SUBSCRIPTION: _("%(amount)s received for a subscription of which nothing is known"),
    ExceptionKind.PAID_AFTER_END: _("%(amount)s received for %(what)s, which had already ended"),
    ExceptionKind.PARTLY_REFUNDED: _("%(amount)s of the current period of %(what)s was refunded, access goes on"),
    ExceptionKind.PERIOD_REFUNDED: _("The current period of %(what)s was refunded, and it goes on being billed"),
    ExceptionKind.UNKNOWN_PRICE: _("%(what)s is billed by a price that belongs to no plan: %(price)s"),
    ExceptionKind.ACCOUNT_CLOSED: _("The account was switched off, but %(what)s goes on being billed: %(amount)s"),
    ExceptionKind.PAYOUT_MISMATCH: _("Payout %(subject)s does not add up"),
}
NOTHING_CAME = _("Nothing was collected for %(what)s, expected %(due)s")
OTHER_CURRENCY = _("Received %(received)s for %(what)s, expected in %(currency)s")
LOST_IN_PART = _("%(amount)s of the payment for %(what)s was lost to a dispute")
PART_OF_A_PERIOD = _("A part of the %(amount)s for %(what)s is disputed or lost")
# By how the question is asked.
NOT_DELIVERED_SENTENCES = {
    IN_DOUBT: _("A message to the buyer about %(what)s may not have been sent"),
    NO_PERSON: _("A message to the buyer about %(what)s was not sent: no address is known"),
    NOT_DONE: _("Stripe was not told about %(what)s: %(words)s"),
}
ALERT_IN_DOUBT = _("An alert to staff may not have been sent")
ALERT_NOT_SENT = _("An alert to staff was not sent: %(words)s")

ADVICE: dict[str, Any] = {
    ExceptionKind.AMOUNT_MISMATCH: _("refund it, or accept it as the full payment"),
    ExceptionKind.SECOND_PAYMENT: _("refund the second"),
    ExceptionKind.NO_PLACE: _("refund it, or give a place"),
    ExceptionKind.UNKNOWN_ORDER: _("link it to an order, or refund it at Stripe"),
    ExceptionKind.UNKNOWN_SESSION: _("refund it, or accept it"),
    ExceptionKind.SECOND_SUBSCRIPTION: _("cancel the second"),
    ExceptionKind.NOT_AT_STRIPE: _("check with which key it was made"),
    ExceptionKind.PARTLY_DISPUTED: _("decide whether access goes on"),
    ExceptionKind.FRAUD_WARNING: _("refund it before it is disputed"),
    ExceptionKind.REFUND_OWED: _("refund it again, or in another way"),
    ExceptionKind.NOT_DELIVERED: _("check, then send it again"),
    ExceptionKind.CHECKOUT_REFUSED: _("correct the price"),
    ExceptionKind.UNKNOWN_SUBSCRIPTION: _("compare it with Stripe"),
    ExceptionKind.PAID_AFTER_END: _("refund it"),
    ExceptionKind.PARTLY_REFUNDED: _("decide whether access goes on"),
    ExceptionKind.PERIOD_REFUNDED: _("cancel it, or give the access back"),
    ExceptionKind.UNKNOWN_PRICE: _("enter the price at its plan, or cancel it"),
    ExceptionKind.ACCOUNT_CLOSED: _("end it"),
    ExceptionKind.PAYOUT_MISMATCH: _("compare its page with Stripe’s"),
}
# Which buttons of the desk most likely settle it, the likeliest first.
ACTS: dict[str, tuple[str, ...]] = {
    ExceptionKind.AMOUNT_MISMATCH: ("refund", "close"),
    ExceptionKind.SECOND_PAYMENT: ("refund",),
    ExceptionKind.NO_PLACE: ("refund", "seat"),
    ExceptionKind.UNKNOWN_ORDER: ("link",),
    ExceptionKind.UNKNOWN_SESSION: ("refund", "accept_money"),
    ExceptionKind.SECOND_SUBSCRIPTION: ("cancel_subscription",),
    ExceptionKind.FRAUD_WARNING: ("refund",),
    ExceptionKind.REFUND_OWED: ("refund_once_more",),
    ExceptionKind.NOT_DELIVERED: ("send_once_more",),
    ExceptionKind.PAID_AFTER_END: ("refund",),
    ExceptionKind.PERIOD_REFUNDED: ("cancel_subscription", "give_back"),
    ExceptionKind.UNKNOWN_PRICE: ("cancel_subscription", "close"),
    ExceptionKind.ACCOUNT_CLOSED: ("end_now",),
}
OTHERWISE = ("close",)


def sentence_of(row: OrderException, payment: Payment | None = None) -> str:
    """What has happened: "Received €0.01 for Pottery, expected €30.00". `payment`: the one in question, if known."""
    return str(_template(row)) % _values(row, payment)


def advised(row: OrderException, payment: Payment | None = None) -> str:
    """The sentence, and what most likely settles it: "€49.00 paid twice for Pottery — refund the second"."""
    advice = ADVICE.get(row.kind)
    return f"{sentence_of(row, payment)} — {advice}" if advice else sentence_of(row, payment)


def acts_of(row: OrderException) -> tuple[str, ...]:
    """The names of the desk's buttons that most likely settle it, the likeliest first."""
    return ACTS.get(row.kind, OTHERWISE)


def at_stake(row: OrderException, payment: Payment | None = None) -> Sum | None:
    """How much it is about, in minor units of its currency; None: no money, or nobody knows how much."""
    names = ("refunded",) if row.kind == ExceptionKind.PARTLY_REFUNDED else AT_STAKE
    sums = (found for name in names if isinstance(found := row.values.get(name), dict) and found["amount"])
    if told := next(sums, None):
        return told["amount"], told["currency"]
    if payment and payment.here:
        return payment.here, payment.currency
    if row.kind == ExceptionKind.SECOND_SUBSCRIPTION and row.subscription:
        return row.subscription.amount, row.subscription.currency
    if row.kind == ExceptionKind.NO_PLACE and row.order and row.order.amount_received > row.order.amount_refunded:
        return row.order.amount_received - row.order.amount_refunded, row.order.currency
    return None


def payments_in_question(rows: Iterable[OrderException]) -> dict[str, Payment]:
    """The payments that these questions name, by key. One query."""
    names = {name for row in rows for name in (row.subject, row.detail) if name and not row.values}
    return Payment.objects.in_bulk(names, field_name="key") if names else {}


def payment_in_question(row: OrderException, known: Mapping[str, Payment]) -> Payment | None:
    """The payment that the question is about, of those that are known."""
    return known.get(row.subject) or known.get(row.detail)


def _template(row: OrderException) -> Any:
    if row.kind == ExceptionKind.NOT_DELIVERED:
        if str(row.values.get("kind", "")).startswith(STAFF_MAIL_PREFIX):
            return ALERT_IN_DOUBT if row.detail == IN_DOUBT else ALERT_NOT_SENT
        return NOT_DELIVERED_SENTENCES.get(row.detail, SENTENCES[row.kind])
    if row.kind == ExceptionKind.PAYOUT_MISMATCH and row.detail:
        return gettext(row.detail)
    if row.kind == ExceptionKind.AMOUNT_MISMATCH and row.subscription_id:
        return OTHER_CURRENCY
    if row.kind == ExceptionKind.AMOUNT_MISMATCH and "received" not in row.values:
        return NOTHING_CAME
    if row.kind == ExceptionKind.PARTLY_DISPUTED and row.subscription_id:
        return PART_OF_A_PERIOD
    if row.kind == ExceptionKind.PARTLY_DISPUTED and row.detail == PART_LOST:
        return LOST_IN_PART
    # A kind that this version does not know: old rows, or those of a later one.
    return SENTENCES.get(row.kind, "%(kind)s: %(subject)s")


def _values(row: OrderException, payment: Payment | None) -> dict[str, str]:
    amount, told = at_stake(row, payment), row.values
    words = with_amounts(told)
    return {
        "received": "?", "due": "?", "currency": "?", "words": "?", "price": "?",
        **words,
        "kind": row.get_kind_display(), "subject": row.subject,
        "amount": format_amount(*amount) if amount else str(SOME_MONEY),
        "what": _what(row),
        "fraud": str(FRAUD_TYPES.get(str(told.get("kind", "")), told.get("kind", ""))),
        "reason": refund_reason(str(told.get("code", "")), str(told.get("words", ""))),
    }  # fmt: skip


def _what(row: OrderException) -> str:
    """What was bought, as people call it."""
    if row.order:
        return row.order.label or row.order.number
    if row.subscription:
        return str(row.subscription.plan or row.subscription)
    return str(row.values.get("name") or row.values.get("order") or SOMETHING)
