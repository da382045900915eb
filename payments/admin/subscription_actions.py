"""What staff do with a subscription, from its own page or from a question about its money."""

from functools import partial
from typing import Any

from django.utils.translation import gettext_lazy

from payments.admin.kit.actions import Confirmation, confirmed_action
from payments.billing.models import Subscription
from payments.orders.models import OrderException
from payments.statuses import SUBSCRIPTION_NOT_BEGUN, ExceptionKind
from payments.subscribing import cancel_now, give_access_back

canceling = partial(
    confirmed_action,
    description=gettext_lazy("Cancel the subscription now…"), permission="payments.cancel_subscription",
    title=gettext_lazy("Cancel these subscriptions now?"), button=gettext_lazy("Cancel now"), in_transaction=False,
    done=gettext_lazy("canceled."),
    consequences=(
        gettext_lazy("Stripe ends the subscription at once: nothing more is charged."),
        gettext_lazy("No refund is made by this, and its access ends with it."),
    ),
)  # fmt: skip
giving_back = partial(
    confirmed_action,
    description=gettext_lazy("Give the access back…"), permission="payments.give_access_back",
    title=gettext_lazy("Give the access back?"), button=gettext_lazy("Give it back now"),
    done=gettext_lazy("given back."), previews=True,
    consequences=(
        gettext_lazy("What the period had paid for is open again until the period ends, although the money went back."),
        gettext_lazy("The subscription goes on, and no money moves."),
    ),
)  # fmt: skip


def can_be_canceled(row: Subscription | None) -> bool:
    """Whether there is something to end."""
    return row is not None and not row.has_ended and row.status not in SUBSCRIPTION_NOT_BEGUN


def subscription_of(row: Any) -> Subscription | None:
    """The subscription itself, or the one that a question is about."""
    return row.subscription if isinstance(row, OrderException) else row


def _asks_to_end(row: Any) -> bool:
    """Whether ending it answers what is asked; of an account that was switched off there are buttons of their own."""
    return not isinstance(row, OrderException) or (row.is_open and row.kind != ExceptionKind.ACCOUNT_CLOSED)


@canceling(applies_to=lambda row: _asks_to_end(row) and can_be_canceled(subscription_of(row)))
def cancel_subscription(row: Any, confirmation: Confirmation) -> None:
    """Through Stripe; what it answers is applied at once, so a question about it closes by itself."""
    if subscription := subscription_of(row):
        cancel_now(
            subscription=subscription, reason=confirmation.reason, by=confirmation.by.get_username(),
            at=confirmation.at,
        )  # fmt: skip


@giving_back(applies_to=lambda row: bool((subscription := subscription_of(row)) and subscription.money_back))
def give_back(row: Any, confirmation: Confirmation) -> None:
    """Staff decide otherwise than the rule."""
    if subscription := subscription_of(row):
        give_access_back(subscription=subscription, reason=confirmation.reason, by=confirmation.by, at=confirmation.at)
