"""What Stripe tells of its own troubles, in thin events: https://docs.stripe.com/webhooks/handle-irrecoverable-events

Whoever wants them adds a destination of the style “thin” at Stripe, which leads to the same address as the webhook.
"""

from payments.facts import Facts, LookUp
from payments.handlers.registry import EventView, handles
from payments.stripe_api.snapshots.reading import find_text


@handles("v2.core.health.event_generation_failure.resolved")
def event_not_made(event: EventView) -> Facts:
    """No event and no list will ever tell of it."""
    yield LookUp(name=find_text(event.object, "id"))
