"""What the events of a PaymentIntent say: https://docs.stripe.com/api/events/types#event_types-payment_intent.succeeded"""

from payments.facts import Facts, OrderFact, PaymentFact
from payments.handlers.registry import EventView, handles
from payments.statuses import OrderStatus
from payments.stripe_api.snapshots import StripePaymentIntent


@handles("payment_intent.succeeded")
def succeeded(event: EventView) -> Facts:
    """The money is here: the second road to a paid order."""
    intent = StripePaymentIntent.read(event.object)
    received = intent.received
    yield PaymentFact(intent.refs, received=received.amount, currency=received.currency, occurred_at=event.occurred_at)


@handles("payment_intent.payment_failed")
def payment_failed(event: EventView) -> Facts:
    """One try was declined; the buyer may try again in the same session. Each try is a charge of its own."""
    intent = StripePaymentIntent.read(event.object)
    yield OrderFact(intent.failure_refs, OrderStatus.FAILED, event.occurred_at, failure=intent.failure)


@handles("payment_intent.canceled")
def canceled(event: EventView) -> Facts:
    """No money will come through this PaymentIntent."""
    intent = StripePaymentIntent.read(event.object)
    status = OrderStatus.EXPIRED if intent.has_run_out else OrderStatus.CANCELED
    yield OrderFact(intent.refs, status, event.occurred_at)


@handles("payment_intent.requires_action")
def requires_action(event: EventView) -> Facts:
    """The bank asks the buyer to confirm (3-D Secure): normal while they are still on that page."""
    intent = StripePaymentIntent.read(event.object)
    yield OrderFact(intent.refs, OrderStatus.ACTION_REQUIRED, event.occurred_at)


@handles("payment_intent.processing")
def processing(event: EventView) -> Facts:
    """A delayed method is under way; it may take days."""
    intent = StripePaymentIntent.read(event.object)
    yield OrderFact(intent.refs, OrderStatus.PROCESSING, event.occurred_at)
