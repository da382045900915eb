"""Where a subscription stands, in one word; the sentence and the buttons that make sense follow from it."""

from enum import StrEnum

from payments.billing.subscriptions import Subscription
from payments.statuses import SubscriptionStatus


class Standing(StrEnum):
    """One word for each thing that the page can say."""

    NONE = "none"
    ACTIVE = "active"
    TRIAL = "trial"
    ENDING = "ending"
    OVERDUE = "overdue"
    PAUSED = "paused"


OVERDUE = (SubscriptionStatus.PAST_DUE, SubscriptionStatus.UNPAID)


def standing_of(row: Subscription | None) -> Standing:
    """What to tell the person first. What is not paid comes before a planned end: it can end earlier."""
    if row is None:
        return Standing.NONE
    if row.status in OVERDUE:
        return Standing.OVERDUE
    if row.status == SubscriptionStatus.PAUSED:
        return Standing.PAUSED
    if row.cancel_at:
        return Standing.ENDING
    return Standing.TRIAL if row.status == SubscriptionStatus.TRIALING else Standing.ACTIVE
