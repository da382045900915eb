"""Alerts for staff about money that is disputed or did not go back: what happened, until when, what to do."""

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from payments.billing.deadlines import KIND as DUE
from payments.billing.deadlines import UNANSWERED
from payments.billing.models import Dispute, Refund
from payments.effects.mail import Mail, amount_in_words, mails
from payments.effects.models import Effect
from payments.effects.registry import Skip
from payments.statuses import DisputePhase, RefundStatus

GONE = Skip(gettext_noop("What it tells of no longer exists."))
MOVED_ON = Skip(gettext_noop("The dispute has moved on meanwhile."))
NOT_FAILED = Skip(gettext_noop("The refund has not failed after all."))
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


@mails("alert.dispute")
def dispute_opened(effect: Effect) -> Mail | Skip:
    row = _find_dispute(effect)
    if row is None:
        return GONE
    return _mail_about_dispute(row) if row.phase == DisputePhase.OPEN else MOVED_ON


@mails(DUE)
def dispute_due(effect: Effect) -> Mail | Skip:
    row = _find_dispute(effect)
    if row is None:
        return GONE
    return _mail_about_dispute(row) if row.status in UNANSWERED else MOVED_ON


@mails("alert.dispute_closed")
def dispute_closed(effect: Effect) -> Mail | Skip:
    """Its key ends with how the dispute ended: a late win has an alert of its own."""
    row = _find_dispute(effect)
    if row is None:
        return GONE
    is_as_told = DisputePhase(row.phase).name.lower() == effect.key.rpartition(":")[2]
    return _mail_about_dispute(row) if is_as_told else MOVED_ON


@mails("alert.refund_failed")
def refund_failed(effect: Effect) -> Mail | Skip:
    row = Refund.objects.select_related(*OWNER).filter(stripe_id=effect.data["refund"]).first()
    if row is None:
        return GONE
    return _mail_about_refund(row) if row.status == RefundStatus.FAILED else NOT_FAILED


def _find_dispute(effect: Effect) -> Dispute | None:
    return Dispute.objects.select_related(*OWNER).filter(stripe_id=effect.data["dispute"]).first()


def _mail_about_dispute(row: Dispute) -> Mail:
    context: dict[str, object] = {
        **_owner(row),
        "dispute": row,
        "reason": DISPUTE_REASONS.get(row.reason, row.reason),
        "is_lost": row.phase == DisputePhase.LOST,
        "is_won": row.status == "won",
    }
    return _to_staff(context)


def _mail_about_refund(row: Refund) -> Mail:
    return _to_staff({**_owner(row), "refund": row})


def _owner(row: Dispute | Refund) -> dict[str, object]:
    """How much, of whose order or subscription."""
    customer = row.subscription.customer if row.subscription else None
    return {
        "order": row.order,
        "subscription": row.subscription,
        "email": row.order.email if row.order else customer.email if customer else "",
        "amount": amount_in_words(row.amount, row.currency),
    }


def _to_staff(context: dict[str, object]) -> Mail:
    return Mail(to=tuple(settings.STRIPE_ALERT_EMAIL), language=settings.LANGUAGE_CODE, context=context)
