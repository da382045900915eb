"""What a person does with their subscription: begin, change, cancel, resume, see cards and invoices.

Everything asks Stripe, so none of it may be called inside a transaction. What Stripe answers is applied at once, by the
road that events take. All of it raises GatewayUnavailable and GatewayRefused.
"""

from payments.subscribing.change import (
    NoCustomer,
    NotChangeable,
    can_change,
    cancel_at_period_end,
    change_plan,
    open_portal,
    resume,
)
from payments.subscribing.current import NoSubscription, ask_about_second_subscriptions, live_of
from payments.subscribing.ending import ask_about_closed_accounts
from payments.subscribing.preview import ChangePreview, SumMoved, preview_change
from payments.subscribing.staff import cancel_now, give_access_back
from payments.subscribing.start import AlreadySubscribed, subscribe

__all__ = [
    "AlreadySubscribed",
    "ChangePreview",
    "NoCustomer",
    "NoSubscription",
    "NotChangeable",
    "SumMoved",
    "ask_about_closed_accounts",
    "ask_about_second_subscriptions",
    "can_change",
    "cancel_at_period_end",
    "cancel_now",
    "change_plan",
    "give_access_back",
    "live_of",
    "open_portal",
    "preview_change",
    "resume",
    "subscribe",
]
