"""States as pills: the word says it, the tint only repeats it."""

from django.utils.html import format_html
from django.utils.safestring import SafeString

from payments.billing.models import Subscription
from payments.statuses import DisputePhase, SubscriptionStatus

GOOD, CARE, BAD, OFF = "good", "care", "bad", "off"
OF_SUBSCRIPTION: dict[str, str] = {
    SubscriptionStatus.ACTIVE: GOOD,
    SubscriptionStatus.TRIALING: GOOD,
    SubscriptionStatus.PAST_DUE: CARE,
    SubscriptionStatus.INCOMPLETE: CARE,
    SubscriptionStatus.UNPAID: BAD,
}
OF_DISPUTE: dict[int, str] = {DisputePhase.OPEN: CARE, DisputePhase.LOST: BAD, DisputePhase.CLOSED: GOOD}


def pill(word: str, tint: str) -> SafeString:
    """The word on its tint."""
    return format_html('<span class="pill pill-{}">{}</span>', tint, word)


def subscription_pill(row: Subscription) -> SafeString:
    """The state of a subscription; Stripe's own word where we know none."""
    return pill(row.status_text, OF_SUBSCRIPTION.get(row.status, OFF))
