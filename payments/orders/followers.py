"""Who follows subscriptions: products whose access rests on one register here, as they do for orders."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from payments.billing.subscriptions import Subscription
from payments.orders.purchasables import Outcome


class SubscriptionFollower(Protocol):
    """Called in the transaction that moved the subscriptions, which are locked, sorted by id."""

    def __call__(self, subscriptions: Sequence[Subscription], *, at: datetime) -> Outcome:
        """Bring the product in line with them as they are now; safe to call twice, with many at once."""
        ...


_followers: list[SubscriptionFollower] = []


def follows_subscriptions(follower: SubscriptionFollower) -> SubscriptionFollower:
    """Register the decorated function."""
    _followers.append(follower)
    return follower


def follow_subscriptions(subscriptions: Sequence[Subscription], *, at: datetime) -> Outcome:
    """Let every product follow them."""
    total = Outcome()
    for follower in _followers if subscriptions else ():
        total.add(follower(subscriptions, at=at))
    return total
