"""The mails to whoever has a subscription, and to staff about an invoice of it that cannot be paid."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_noop

from payments.billing.models import Payment, Subscription
from payments.billing.subscribers import gives_access
from payments.effects.deliver import SUBJECT_GONE, Skip
from payments.effects.mail import Mail, amount_in_words, mails, to_staff
from payments.effects.models import Effect
from payments.statuses import (
    SUBSCRIPTION_NOT_BEGUN,
    EffectStatus,
    SubscriptionStatus,
)

INVOICE_PAID = Skip(gettext_noop("It has been paid meanwhile."))
HAS_ENDED = Skip(gettext_noop("The subscription has ended meanwhile."))
NOT_BEGUN = Skip(gettext_noop("The subscription has not begun: the buyer is still on the payment page."))
ANOTHER_MAIL = Skip(gettext_noop("Another mail about the same invoice says what to do."))
ANOTHER_MAIL_OF_END = Skip(gettext_noop("Another mail says that the access has ended already."))
ACCESS_IS_BACK = Skip(gettext_noop("The access has come back meanwhile."))
NO_TRIAL = Skip(gettext_noop("The trial is over already."))
NO_END_PLANNED = Skip(gettext_noop("The subscription goes on after all."))
CHANGED_AGAIN = Skip(gettext_noop("The plan has been changed again meanwhile."))
CANCELED_AGAIN = Skip(gettext_noop("The subscription has been canceled again meanwhile."))
NEVER_TOLD = Skip(gettext_noop("Nobody was told that it would end."))
ALL_BACK = Skip(gettext_noop("The money has gone back meanwhile, which another e-mail tells."))
# Who has just read that it ends need not be reminded.
REMINDED_AFTER = timedelta(days=3)
ACCOUNT = "/account/"

Check = Callable[[Subscription, Effect], Skip | None]


def _about(kind: str) -> Callable[[Check], Check]:
    """Register the mail of this kind to the subscriber, unless the check says why not."""

    def register(check: Check) -> Check:
        @mails(kind)
        @wraps(check)
        def write(effect: Effect) -> Mail | Skip:
            row = find_subscription(effect)
            if row is None:
                return SUBJECT_GONE
            if row.has_ended:
                return HAS_ENDED
            return check(row, effect) or subscriber_mail(row, effect)

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
    if _of_its_end(row).filter(status=EffectStatus.DONE, delivered_at__gt=effect.created_at - REMINDED_AFTER).exists():
        return ANOTHER_MAIL
    return None if row.cancel_at and row.cancel_at > timezone.now() else NO_END_PLANNED


@_about("subscription.begun")
def begun(row: Subscription, effect: Effect) -> Skip | None:
    return NOT_BEGUN if row.status in SUBSCRIPTION_NOT_BEGUN else None


@_about("subscription.changed")
def changed(row: Subscription, effect: Effect) -> Skip | None:
    return None if row.plan and row.plan.slug == effect.data["plan"] else CHANGED_AGAIN


@_about("subscription.canceled")
def canceled(row: Subscription, effect: Effect) -> Skip | None:
    return None if row.cancel_at else NO_END_PLANNED


@_about("subscription.resumed")
def resumed(row: Subscription, effect: Effect) -> Skip | None:
    if row.cancel_at:
        return CANCELED_AGAIN
    last = _of_its_end(row).order_by("-pk").first()
    return NEVER_TOLD if last and last.status == EffectStatus.SKIPPED else None


@mails("subscription.paid")
def paid(effect: Effect) -> Mail | Skip:
    """With the receipt; also of one that has ended since."""
    row, payment = find_subscription(effect), Payment.objects.filter(key=effect.data["payment"]).first()
    if row is None or payment is None:
        return SUBJECT_GONE
    if not payment.left:
        return ALL_BACK
    receipt = f"{settings.SITE_URL}{reverse('payment-receipt', args=[payment.pk])}"
    amount = amount_in_words(payment.received, payment.currency)
    return subscriber_mail(row, effect, amount=amount, paid_at=payment.paid_at, receipt=receipt)


@mails("subscription.access_ended")
def access_ended(effect: Effect) -> Mail | Skip:
    """All the money of the running period went back; also of one that has ended since."""
    row = find_subscription(effect)
    if row is None:
        return SUBJECT_GONE
    payment = Payment.objects.filter(key=effect.data["payment"]).first()
    if payment is None or not row.money_back:
        return ACCESS_IS_BACK
    return subscriber_mail(row, effect, amount=amount_in_words(payment.received, payment.currency))


@mails("alert.finalization_failed")
def finalization_failed(effect: Effect) -> Mail | Skip:
    row = find_subscription(effect)
    if row is None:
        return SUBJECT_GONE
    if _is_paid(effect):
        return INVOICE_PAID
    context = {
        "subscription": row,
        "invoice": effect.data["invoice"],
        "reason": effect.data["reason"],
        "email": _address(row),
    }
    return to_staff(context, page=row)


def find_subscription(effect: Effect) -> Subscription | None:
    """The subscription that the effect names, with its person and plan."""
    rows = Subscription.objects.select_related("customer__user", "plan")
    return rows.filter(stripe_id=effect.data["subscription"]).first()


def _of_its_end(row: Subscription) -> QuerySet[Effect]:
    """The mails that tell of a planned end."""
    return Effect.objects.filter(subscription=row.pk, kind="subscription.canceled")


def _is_paid(effect: Effect) -> bool:
    return Payment.objects.filter(key=effect.data.get("invoice") or "-", received__gt=0).exists()


def _address(row: Subscription) -> str:
    if row.customer is None:
        return ""
    return row.customer.user.email if row.customer.user else row.customer.email


def subscriber_mail(row: Subscription, effect: Effect, **more: object) -> Mail:
    """A mail to whoever has it, with how it stands. `more`: what this one tells."""
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
