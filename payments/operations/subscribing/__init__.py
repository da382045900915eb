"""What a person does with their subscription: begin, change, cancel, resume, see cards and invoices.

Everything asks Stripe, so none of it may be called inside a transaction. What Stripe answers is applied at once, by the
road that events take. All of it raises GatewayUnavailable and GatewayRefused.
"""

from payments.operations.subscribing.begin import AlreadySubscribed, NotNow, subscribe
from payments.operations.subscribing.change import NotChangeable, cancel_at_period_end, change_plan, resume
from payments.operations.subscribing.live import NoSubscription, live_of
from payments.operations.subscribing.portal import NoCustomer, open_portal

__all__ = [
    "AlreadySubscribed",
    "NoCustomer",
    "NoSubscription",
    "NotChangeable",
    "NotNow",
    "cancel_at_period_end",
    "change_plan",
    "live_of",
    "open_portal",
    "resume",
    "subscribe",
]
