"""Mails about money: alerts for staff about disputes, refunds and invoices; mails to subscribers."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps

from django.conf import settings
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from payments.billing.models import Dispute, Payment, Refund, Subscription
from payments.billing.reminders import DISPUTE_DUE_ALERT, UNANSWERED
from payments.billing.subscribers import gives_access
from payments.effects.deliver import Skip
from payments.effects.mail import Mail, amount_in_words, mails
from payments.effects.models import Effect
from payments.statuses import SUBSCRIPTION_NOT_BEGUN, DisputePhase, RefundStatus, SubscriptionStatus

SUBJECT_GONE = Skip(gettext_noop("What it tells of no longer exists."))
DISPUTE_MOVED_ON = Skip(gettext_noop("The dispute has moved on meanwhile."))
REFUND_NOT_FAILED = Skip(gettext_noop("The refund has not failed after all."))
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
        return SUBJECT_GONE
    return _mail_about_dispute(row) if row.phase == DisputePhase.OPEN else DISPUTE_MOVED_ON


@mails(DISPUTE_DUE_ALERT)
def dispute_due(effect: Effect) -> Mail | Skip:
    row = _find_dispute(effect)
    if row is None:
        return SUBJECT_GONE
    return _mail_about_dispute(row) if row.status in UNANSWERED else DISPUTE_MOVED_ON


@mails("alert.dispute_closed")
def dispute_closed(effect: Effect) -> Mail | Skip:
    """Its key ends with how the dispute ended: a late win has an alert of its own."""
    row = _find_dispute(effect)
    if row is None:
        return SUBJECT_GONE
    is_as_told = DisputePhase(row.phase).name.lower() == effect.key.rpartition(":")[2]
    return _mail_about_dispute(row) if is_as_told else DISPUTE_MOVED_ON


@mails("alert.refund_failed")
def refund_failed(effect: Effect) -> Mail | Skip:
    row = Refund.objects.select_related(*OWNER).filter(stripe_id=effect.data["refund"]).first()
    if row is None:
        return SUBJECT_GONE
    return _mail_about_refund(row) if row.status == RefundStatus.FAILED else REFUND_NOT_FAILED


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


SUBSCRIPTION_GONE = Skip(gettext_noop("What it tells of no longer exists."))
INVOICE_PAID = Skip(gettext_noop("It has been paid meanwhile."))
HAS_ENDED = Skip(gettext_noop("The subscription has ended meanwhile."))
NOT_BEGUN = Skip(gettext_noop("The subscription has not begun: the buyer is still on the payment page."))
ANOTHER_MAIL = Skip(gettext_noop("Another mail about the same invoice says what to do."))
ANOTHER_MAIL_OF_END = Skip(gettext_noop("Another mail says that the access has ended already."))
ACCESS_IS_BACK = Skip(gettext_noop("The access has come back meanwhile."))
NO_TRIAL = Skip(gettext_noop("The trial is over already."))
NO_END_PLANNED = Skip(gettext_noop("The subscription goes on after all."))
ACCOUNT = "/account/"

Check = Callable[[Subscription, Effect], Skip | None]


def _about(kind: str) -> Callable[[Check], Check]:
    """Register the mail of this kind to the subscriber, unless the check says why not."""

    def register(check: Check) -> Check:
        @mails(kind)
        @wraps(check)
        def write(effect: Effect) -> Mail | Skip:
            row = _find(effect)
            if row is None:
                return SUBSCRIPTION_GONE
            if row.has_ended:
                return HAS_ENDED
            return check(row, effect) or _subscriber_mail(row, effect)

        return check

    return register


@_about("subscription.payment_failed")
def payment_failed(row: Subscription, effect: Effect) -> Skip | None:
    if row.status in SUBSCRIPTION_NOT_BEGUN:
        return NOT_BEGUN
    if _is_paid(effect):
        return INVOICE_PAID
    asked = Effect.objects.filter(key=f"subscription.action_required:{effect.data['invoice']}")
    return ANOTHER_MAIL if asked.exists() else None


@_about("subscription.action_required")
def action_required(row: Subscription, effect: Effect) -> Skip | None:
    if row.status in SUBSCRIPTION_NOT_BEGUN:
        return NOT_BEGUN
    return INVOICE_PAID if _is_paid(effect) else None


@_about("subscription.trial_will_end")
def trial_will_end(row: Subscription, effect: Effect) -> Skip | None:
    if row.status != SubscriptionStatus.TRIALING:
        return NO_TRIAL
    # Whoever has canceled knows that it ends, and hears so in another mail.
    return ANOTHER_MAIL if row.cancel_at else None


@_about("subscription.ending_soon")
def ending_soon(row: Subscription, effect: Effect) -> Skip | None:
    if row.money_back:
        return ANOTHER_MAIL_OF_END
    return None if row.cancel_at and row.cancel_at > timezone.now() else NO_END_PLANNED


@mails("subscription.access_ended")
def access_ended(effect: Effect) -> Mail | Skip:
    """All the money of the running period went back; also of one that has ended since."""
    row = _find(effect)
    if row is None:
        return SUBSCRIPTION_GONE
    payment = Payment.objects.filter(key=effect.data["payment"]).first()
    if payment is None or not row.money_back:
        return ACCESS_IS_BACK
    return _subscriber_mail(row, effect, amount=amount_in_words(payment.received, payment.currency))


@mails("alert.finalization_failed")
def finalization_failed(effect: Effect) -> Mail | Skip:
    row = _find(effect)
    if row is None:
        return SUBSCRIPTION_GONE
    if _is_paid(effect):
        return INVOICE_PAID
    context = {
        "subscription": row,
        "invoice": effect.data["invoice"],
        "reason": effect.data["reason"],
        "email": _address(row),
    }
    return Mail(to=tuple(settings.STRIPE_ALERT_EMAIL), language=settings.LANGUAGE_CODE, context=context)


def _find(effect: Effect) -> Subscription | None:
    rows = Subscription.objects.select_related("customer__user", "plan")
    return rows.filter(stripe_id=effect.data["subscription"]).first()


def _is_paid(effect: Effect) -> bool:
    return Payment.objects.filter(key=effect.data.get("invoice") or "-", received__gt=0).exists()


def _address(row: Subscription) -> str:
    if row.customer is None:
        return ""
    return row.customer.user.email if row.customer.user else row.customer.email


def _subscriber_mail(row: Subscription, effect: Effect, **more: object) -> Mail:
    user = row.customer.user if row.customer else None
    address = _address(row)
    context = {
        "name": (user.name if user else "") or (row.customer.name if row.customer else ""),
        "subscription": row,
        "plan": row.plan,
        "next_try_at": _moment(effect.data.get("next_try_at", "")),
        "has_access": gives_access(row, at=timezone.now()),
        "goes_on": not (row.has_ended or row.cancel_at or row.pause),
        "link": f"{settings.SITE_URL}{ACCOUNT}",
        **more,
    }
    return Mail(
        to=(address,) if address else (), language=user.language if user else settings.LANGUAGE_CODE, context=context
    )


def _moment(text: str) -> datetime | None:
    return parse_datetime(text) if text else None
