"""What the events of a Checkout session say: https://docs.stripe.com/api/events/types#event_types-checkout.session.completed"""

from datetime import datetime

from payments.facts import BuyerAddressFact, Fact, Facts, NoFacts, OrderFact, PaymentFact, SubscriptionStartedFact
from payments.handlers.registry import EventView, handles
from payments.statuses import OrderStatus
from payments.stripe_api.snapshots import MalformedObject, StripeCheckoutSession


@handles("checkout.session.completed")
def completed(event: EventView) -> Facts:
    """The buyer went through Checkout; whether money came is another question (`payment_status`)."""
    session = StripeCheckoutSession.read(event.object)
    if session.mode == "setup":
        yield NoFacts("a session in setup mode pays nothing")
    elif session.payment_status == "unpaid":
        yield OrderFact(session.refs, OrderStatus.PROCESSING, event.occurred_at)
    else:
        yield settled(session, at=event.occurred_at)
    yield from _about_buyer(session, at=event.occurred_at)


@handles("checkout.session.async_payment_succeeded")
def async_payment_succeeded(event: EventView) -> Facts:
    """A delayed method brought the money."""
    session = StripeCheckoutSession.read(event.object)
    if session.payment_status in ("unpaid", "no_payment_required"):
        yield NoFacts("the session is not paid")
    else:
        yield settled(session, at=event.occurred_at)


@handles("checkout.session.async_payment_failed")
def async_payment_failed(event: EventView) -> Facts:
    """A delayed method brought no money; the session is used up."""
    session = StripeCheckoutSession.read(event.object)
    yield OrderFact(session.refs, OrderStatus.FAILED, event.occurred_at)


@handles("checkout.session.expired")
def expired(event: EventView) -> Facts:
    """Nobody can pay in this session any more."""
    session = StripeCheckoutSession.read(event.object)
    yield OrderFact(session.refs, OrderStatus.EXPIRED, event.occurred_at)


def _about_buyer(session: StripeCheckoutSession, *, at: datetime) -> Facts:
    """Where they live, and what they have subscribed to."""
    city, country = session.place
    if city or country:
        yield BuyerAddressFact(session.refs, city, country, at)
    billing = session.billing
    if session.mode == "subscription" and billing.subscription:
        yield SubscriptionStartedFact(billing, order=session.refs.order, occurred_at=at)
    if billing.customer and (city or country):
        yield session.customer_fact(at=at)


def settled(session: StripeCheckoutSession, *, at: datetime) -> Fact:
    """How a session was settled: by a subscription, by money, or because it cost nothing.

    Raises MalformedObject without a `payment_status`: nobody may guess whether money came.
    """
    if not session.payment_status:
        raise MalformedObject(f"checkout.session {session.refs.session}: its payment_status is missing.")
    if session.mode == "subscription":
        return OrderFact(session.refs, OrderStatus.PAID, at, by_subscription=True)
    if session.payment_status == "no_payment_required":
        return OrderFact(session.refs, OrderStatus.PAID, at)
    total = session.total
    return PaymentFact(session.refs, received=total.amount, currency=total.currency, occurred_at=at)
