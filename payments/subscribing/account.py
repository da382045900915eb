"""What a person's account shows of their subscription, and where that stands in one word."""

from enum import StrEnum

from django.utils.translation import gettext as _

from accounts.hooks import Section
from accounts.models import User
from payments.billing.models import Customer, Plan, Subscription
from payments.statuses import SUBSCRIPTION_OVERDUE, SubscriptionStatus
from payments.subscribing.change import can_change
from payments.subscribing.current import live_of


class SubscriptionDisplayState(StrEnum):
    """One word for each thing that the page can say."""

    NONE = "none"
    ACTIVE = "active"
    TRIAL = "trial"
    ENDING = "ending"
    OVERDUE = "overdue"
    PAUSED = "paused"
    NO_ACCESS = "no_access"


def display_state_of(row: Subscription | None) -> SubscriptionDisplayState:
    """What to tell the person first. What is not paid comes before a planned end: it can end earlier."""
    if row is None:
        return SubscriptionDisplayState.NONE
    if row.money_back:
        return SubscriptionDisplayState.NO_ACCESS
    if row.status in SUBSCRIPTION_OVERDUE:
        return SubscriptionDisplayState.OVERDUE
    if row.pause or row.status == SubscriptionStatus.PAUSED:
        return SubscriptionDisplayState.PAUSED
    if row.cancel_at:
        return SubscriptionDisplayState.ENDING
    is_trial = row.status == SubscriptionStatus.TRIALING
    return SubscriptionDisplayState.TRIAL if is_trial else SubscriptionDisplayState.ACTIVE


def subscription_section(user: User) -> Section:
    """The state in one sentence and what can be done; two queries, three where there is none."""
    rows = list(live_of(user)[:2])
    row = rows[0] if rows else None
    display_state = display_state_of(row)
    context = {
        "display_state": display_state,
        "subscription": row or _last(user),
        "has_second": len(rows) > 1,
        "can_change": row is not None and any(can_change(row, plan) for plan in Plan.objects.filter(is_on_sale=True)),
        "has_portal": row is not None or Customer.objects.living_of(user.pk).exists(),
    }
    return Section(_("Your subscription"), "payments/section.html", context)


def _last(user: User) -> Subscription | None:
    """The one that ended last."""
    ended = Subscription.objects.filter(customer__user=user, ended_at__isnull=False).exclude(started_at=None)
    return ended.select_related("plan").order_by("-ended_at").first()
