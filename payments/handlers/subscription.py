"""What the events of a subscription say: https://docs.stripe.com/api/events/types#event_types-customer.subscription.created"""

from payments.facts import AppealFact, Facts
from payments.handlers.registry import EventView, handles
from payments.stripe_api.snapshots import Subscription


@handles("customer.subscription.created")
def created(event: EventView) -> Facts:
    """Somebody subscribes; before the first payment that opens nothing."""
    yield Subscription.read(event.object).told(at=event.occurred_at, is_birth=True)


@handles("customer.subscription.updated")
def updated(event: EventView) -> Facts:
    """A renewal, another plan, a planned end: whatever changed, the event carries the whole."""
    yield from _whole_subscription(event)


@handles("customer.subscription.deleted")
def deleted(event: EventView) -> Facts:
    """It has ended; a planned end is told by `updated` before."""
    yield from _whole_subscription(event)


@handles("customer.subscription.paused")
def paused(event: EventView) -> Facts:
    """Its status is `paused`; a pause of the collection alone is told by `updated`."""
    yield from _whole_subscription(event)


@handles("customer.subscription.resumed")
def resumed(event: EventView) -> Facts:
    """It goes on after a pause."""
    yield from _whole_subscription(event)


@handles("customer.subscription.trial_will_end")
def trial_will_end(event: EventView) -> Facts:
    """Three days before the trial ends, or when it is ended at once: the buyer is told."""
    subscription = Subscription.read(event.object)
    yield subscription.told(at=event.occurred_at)
    yield AppealFact(subscription.about, "trial_will_end", event.occurred_at)


def _whole_subscription(event: EventView) -> Facts:
    yield Subscription.read(event.object).told(at=event.occurred_at)
