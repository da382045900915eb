"""What the events of a customer say: https://docs.stripe.com/api/events/types#event_types-customer.updated"""

from payments.facts import Facts, Nothing
from payments.handlers.registry import EventView, handles
from payments.stripe_api.snapshots import Customer


@handles("customer.created")
def created(event: EventView) -> Facts:
    """Somebody new; they are ours as soon as they buy something of ours."""
    yield Customer.read(event.object).told(at=event.occurred_at)


@handles("customer.updated")
def updated(event: EventView) -> Facts:
    """Another name, address or card."""
    yield Customer.read(event.object).told(at=event.occurred_at)


@handles("customer.deleted")
def deleted(event: EventView) -> Facts:
    """They are gone at Stripe; what they paid stays, and their subscriptions tell of their own end."""
    yield Customer.read(event.object).told(at=event.occurred_at, is_deleted=True)


@handles("setup_intent.succeeded")
def card_saved(event: EventView) -> Facts:
    """A way to pay was kept for later: no money, and nothing to open."""
    yield Nothing("a card was saved for later; that pays nothing")
