"""Mails about a subscription: a payment that failed, one that the bank wants confirmed, an end that comes near."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps

from django.conf import settings
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_noop

from payments.billing.models import Payment
from payments.billing.subscriptions import Subscription
from payments.effects.mail import Mail, mails
from payments.effects.models import Effect
from payments.effects.registry import Skip
from payments.statuses import SubscriptionStatus

GONE = Skip(gettext_noop("What it tells of no longer exists."))
PAID = Skip(gettext_noop("It has been paid meanwhile."))
ENDED = Skip(gettext_noop("The subscription has ended meanwhile."))
NOT_BEGUN = Skip(gettext_noop("The subscription has not begun: the buyer is still on the payment page."))
ANOTHER_MAIL = Skip(gettext_noop("Another mail about the same invoice says what to do."))
NO_TRIAL = Skip(gettext_noop("The trial is over already."))
GOES_ON = Skip(gettext_noop("The subscription goes on after all."))
NOT_BEGUN_YET = (SubscriptionStatus.INCOMPLETE, SubscriptionStatus.UNKNOWN)
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
                return GONE
            if row.has_ended:
                return ENDED
            return check(row, effect) or _mail(row, effect)

        return check

    return register


@_about("subscription.payment_failed")
def payment_failed(row: Subscription, effect: Effect) -> Skip | None:
    if row.status in NOT_BEGUN_YET:
        return NOT_BEGUN
    if _is_paid(effect):
        return PAID
    asked = Effect.objects.filter(key=f"subscription.action_required:{effect.data['invoice']}")
    return ANOTHER_MAIL if asked.exists() else None


@_about("subscription.action_required")
def action_required(row: Subscription, effect: Effect) -> Skip | None:
    if row.status in NOT_BEGUN_YET:
        return NOT_BEGUN
    return PAID if _is_paid(effect) else None


@_about("subscription.trial_will_end")
def trial_will_end(row: Subscription, effect: Effect) -> Skip | None:
    if row.status != SubscriptionStatus.TRIALING:
        return NO_TRIAL
    # Whoever has canceled knows that it ends, and hears so in another mail.
    return ANOTHER_MAIL if row.cancel_at else None


@_about("subscription.ending_soon")
def ending_soon(row: Subscription, effect: Effect) -> Skip | None:
    return None if row.cancel_at and row.cancel_at > timezone.now() else GOES_ON


@mails("alert.finalization_failed")
def finalization_failed(effect: Effect) -> Mail | Skip:
    row = _find(effect)
    if row is None:
        return GONE
    if _is_paid(effect):
        return PAID
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


def _mail(row: Subscription, effect: Effect) -> Mail:
    user = row.customer.user if row.customer else None
    address = _address(row)
    context = {
        "name": (user.name if user else "") or (row.customer.name if row.customer else ""),
        "subscription": row,
        "plan": row.plan,
        "next_try_at": _moment(effect.data.get("next_try_at", "")),
        "link": f"{settings.SITE_URL}{ACCOUNT}",
    }
    return Mail(
        to=(address,) if address else (), language=user.language if user else settings.LANGUAGE_CODE, context=context
    )


def _moment(text: str) -> datetime | None:
    return parse_datetime(text) if text else None
