"""The alerts to staff about disputes, refunds and warnings of card networks."""

from datetime import datetime, timedelta
from typing import Any

from django.utils.functional import lazy
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from payments.billing.models import Dispute, Payment, Refund, Subscription
from payments.billing.refund_reasons import refund_reason
from payments.billing.reminders import DISPUTE_DUE_ALERT
from payments.effects.deliver import SUBJECT_GONE, Skip
from payments.effects.mail import Mail, amount_in_words, mails, to_staff
from payments.effects.models import Effect
from payments.statuses import (
    DISPUTE_UNANSWERED,
    REFUND_UNDONE,
    WAITS_FOR_FUNDS,
    DisputePhase,
    DisputeState,
    DisputeStatus,
    RefundStatus,
)

DISPUTE_MOVED_ON = Skip(gettext_noop("The dispute has moved on meanwhile."))
WARNING_SETTLED = Skip(gettext_noop("The money has gone back, or is disputed, meanwhile."))
REFUNDED_SINCE = Skip(gettext_noop("The money went back by another refund meanwhile."))
REFUND_NOT_FAILED = Skip(gettext_noop("The refund has not failed after all."))
REFUND_MOVED_ON = Skip(gettext_noop("The refund has moved on meanwhile."))
ALL_WENT_BACK = Skip(gettext_noop("All of the money went back, which another e-mail tells."))
NOTHING_WENT_BACK = Skip(gettext_noop("The refund did not arrive, which another e-mail tells."))
OLD_NEWS = Skip(gettext_noop("It happened long ago and was only looked up now: the buyer knows."))
NEWS_LAST = timedelta(days=7)
INQUIRY_STAGE = ":inquiry"
OWNER = ("order", "subscription__customer", "subscription__plan")

# https://docs.stripe.com/disputes/categories; another word is shown as Stripe says it.
DISPUTE_REASONS = {
    "bank_cannot_process": _("the bank cannot process the payment"),
    "check_returned": _("the cheque was returned"),
    "credit_not_processed": _("a refund that was promised did not come"),
    "customer_initiated": _("the customer took the direct debit back"),
    "debit_not_authorized": _("the direct debit was not authorized"),
    "duplicate": _("charged twice"),
    "fraudulent": _("the card's owner did not make this payment"),
    "general": _("no particular reason"),
    "incorrect_account_details": _("the account details are wrong"),
    "insufficient_funds": _("not enough money in the account"),
    "product_not_received": _("not received"),
    "product_unacceptable": _("not as described"),
    "subscription_canceled": _("charged after a cancellation"),
    "unrecognized": _("the customer does not recognize the payment"),
}
# https://docs.stripe.com/api/radar/early_fraud_warnings/object#early_fraud_warning_object-fraud_type
FRAUD_TYPES = {
    "card_never_received": _("the card never reached its owner"),
    "fraudulent_card_application": _("the card was applied for in somebody else’s name"),
    "made_with_counterfeit_card": _("the card is a counterfeit"),
    "made_with_lost_card": _("the card was lost"),
    "made_with_stolen_card": _("the card was stolen"),
    "misc": _("another kind of fraud"),
    "unauthorized_use_of_card": _("the card was used without its owner’s leave"),
}


@mails("alert.dispute")
def dispute_opened(effect: Effect) -> Mail | Skip:
    """Its key ends with the stage: an inquiry that was charged back since has an alert of its own."""
    row = _find_dispute(effect)
    if row is None:
        return SUBJECT_GONE
    is_over = row.is_decided or (INQUIRY_STAGE in effect.key and not row.is_inquiry)
    return DISPUTE_MOVED_ON if is_over else _mail_about_dispute(row)


@mails(DISPUTE_DUE_ALERT)
def dispute_due(effect: Effect) -> Mail | Skip:
    """Its key ends with the deadline: another one has a reminder of its own."""
    row = _find_dispute(effect)
    if row is None:
        return SUBJECT_GONE
    is_due = row.status in DISPUTE_UNANSWERED and row.due_by is not None
    is_as_told = effect.key.endswith((f":{row.stripe_id}", f":{row.due_by:%Y-%m-%d}" if row.due_by else ":"))
    return _mail_about_dispute(row) if is_due and is_as_told else DISPUTE_MOVED_ON


@mails("alert.dispute_closed")
def dispute_closed(effect: Effect) -> Mail | Skip:
    """Its key ends with how the dispute ended: a late win, or the chargeback after an inquiry, has its own."""
    row = _find_dispute(effect)
    if row is None:
        return SUBJECT_GONE
    how = effect.key.rpartition(":")[2]
    is_as_told = row.is_decided and (how == "lost") == (row.phase == DisputePhase.LOST)
    is_as_told = is_as_told and (how != "inquiry_closed" or row.status == DisputeStatus.WARNING_CLOSED)
    return _mail_about_dispute(row) if is_as_told else DISPUTE_MOVED_ON


@mails("alert.fraud_warning")
def fraud_warned(effect: Effect) -> Mail | Skip:
    row = Payment.objects.select_related(*OWNER).filter(key=effect.data["payment"]).first()
    if row is None:
        return SUBJECT_GONE
    if not row.has_open_warning(Dispute.objects.filter(payment=row.key)):
        return WARNING_SETTLED
    amount = amount_in_words(row.left, row.currency)
    reason = FRAUD_TYPES.get(row.fraud_type, row.fraud_type)
    return to_staff({**_owner(row), "amount": amount, "payment": row, "reason": reason}, page=row)


@mails("alert.refund_failed")
def refund_failed(effect: Effect) -> Mail | Skip:
    row = _find_refund(effect)
    if row is None:
        return SUBJECT_GONE
    if row.status not in REFUND_UNDONE:
        return REFUND_NOT_FAILED
    payment = Payment.objects.filter(key=row.payment).first()
    return REFUNDED_SINCE if payment and payment.received and not payment.left else _mail_about_refund(row)


@mails("alert.refund_waits")
def refund_waits(effect: Effect) -> Mail | Skip:
    row = _find_refund(effect)
    if row is None:
        return SUBJECT_GONE
    is_waiting = row.status == RefundStatus.PENDING and row.pending_reason == WAITS_FOR_FUNDS
    return _mail_about_refund(row) if is_waiting else REFUND_MOVED_ON


def is_old_news(happened_at: datetime | None, effect: Effect) -> bool:
    """Whether a buyer need not be told: what comes with a subscription that moves in is no news."""
    return happened_at is not None and happened_at < effect.created_at - NEWS_LAST


def is_replaced(refund: Refund) -> bool:
    """Whether nothing is left to give back of its payment, or the same was given back since."""
    payment = Payment.objects.filter(key=refund.payment).first()
    later = Refund.objects.filter(payment=refund.payment, amount=refund.amount, status_at__gt=refund.status_at)
    return bool(payment and not payment.left) or later.filter(status=RefundStatus.SUCCEEDED).exists()


def _find_dispute(effect: Effect) -> Dispute | None:
    return Dispute.objects.select_related(*OWNER).filter(stripe_id=effect.data["dispute"]).first()


def _find_refund(effect: Effect) -> Refund | None:
    return Refund.objects.select_related(*OWNER).filter(stripe_id=effect.data["refund"]).first()


def _mail_about_dispute(row: Dispute) -> Mail:
    """With what stands beside it: of how much it is a part, what was given back, what became of the order."""
    payment = Payment.objects.filter(key=row.payment).first()
    is_lost = row.phase == DisputePhase.LOST
    context: dict[str, object] = {
        **_owner(row),
        "amount": amount_in_words(row.amount, row.currency),
        "dispute": row,
        "reason": DISPUTE_REASONS.get(row.reason, row.reason),
        "is_lost": is_lost,
        "is_won": row.status == DisputeStatus.WON,
        "is_appeal": row.status == DisputeStatus.APPEAL_NEEDS_RESPONSE,
        "is_inquiry_closed": row.status == DisputeStatus.WARNING_CLOSED,
        "is_withdrawn": payment is None or row.order is None or row.order.dispute_state == DisputeState.LOST,
    }
    if payment and payment.currency:
        context |= {
            "is_part": row.currency != payment.currency or (payment.here > 0 if is_lost else row.amount < payment.left),
            "is_gone_back": payment.received > 0 and not payment.left,
            "paid": amount_in_words(payment.received, payment.currency),
            "refunded": amount_in_words(payment.refunded, payment.currency) if payment.refunded else "",
        }
    return to_staff(context, page=row)


def _mail_about_refund(row: Refund) -> Mail:
    banks = Dispute.objects.filter(payment=row.payment, phase__in=[DisputePhase.OPEN, DisputePhase.LOST])
    amount = amount_in_words(row.amount, row.currency)
    reason = reason_in_words(row.failure_reason) if row.failure_reason else ""
    context = {**_owner(row), "refund": row, "amount": amount, "reason": reason, "is_charged_back": banks.exists()}
    return to_staff(context, page=row)


def _owner(row: Dispute | Refund | Payment) -> dict[str, object]:
    """Of whose order or subscription."""
    customer = row.subscription.customer if row.subscription else None
    return {
        "order": row.order,
        "subscription": row.subscription,
        "about": about_in_words(row.order, row.subscription),
        "email": row.order.email if row.order else customer.email if customer else "",
    }


def _subject(order: Any, subscription: Subscription | None) -> str:
    """What a sentence speaks of."""
    return gettext("order %s") % order.number if order else gettext("subscription %s") % subscription


# They find their words when the mail is written, in the reader's language.
about_in_words = lazy(_subject, str)
reason_in_words = lazy(refund_reason, str)
