"""What the events of customers, subscriptions and invoices say.

https://docs.stripe.com/api/events/types#event_types-customer.subscription.created Invoices tell of money and of who
owes it, never of the subscription's state.
"""

from payments.facts import Facts, InvoicePaymentFact, NoFacts, SubscriptionNoticeFact
from payments.handlers.registry import EventView, handles
from payments.stripe_api.snapshots import StripeCustomer, StripeInvoice, StripeInvoicePayment, StripeSubscription


@handles("customer.subscription.created")
def created(event: EventView) -> Facts:
    """Somebody subscribes; before the first payment that opens nothing."""
    yield StripeSubscription.read(event.object).to_fact(at=event.occurred_at, from_created_event=True)


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
    subscription = StripeSubscription.read(event.object)
    yield subscription.to_fact(at=event.occurred_at)
    yield SubscriptionNoticeFact(subscription.refs, "trial_will_end", event.occurred_at)


def _whole_subscription(event: EventView) -> Facts:
    yield StripeSubscription.read(event.object).to_fact(at=event.occurred_at)


NO_SUBSCRIPTION = "the invoice belongs to no subscription"


@handles("invoice.paid")
def paid(event: EventView) -> Facts:
    """Paid, marked as paid, or nothing to pay."""
    yield from _whole_invoice(event)


@handles("invoice.payment_succeeded")
def payment_succeeded(event: EventView) -> Facts:
    """The older name of `invoice.paid`, sent beside it where Stripe took the money."""
    yield from _whole_invoice(event)


@handles("invoice.payment_failed")
def payment_failed(event: EventView) -> Facts:
    """One try to collect failed; Stripe may try again by itself."""
    yield from _appeal(event, "payment_failed")


@handles("invoice.payment_action_required")
def payment_action_required(event: EventView) -> Facts:
    """The bank asks the customer, who is not there: they have to come and confirm."""
    yield from _appeal(event, "action_required")


@handles("invoice.finalization_failed")
def finalization_failed(event: EventView) -> Facts:
    """Stripe cannot make it ready to be paid: staff have to look."""
    yield from _appeal(event, "finalization_failed")


@handles("invoice_payment.paid")
def invoice_payment_paid(event: EventView) -> Facts:
    """Which payment paid which invoice: since basil nothing else that is sent tells it."""
    refs = StripeInvoicePayment.read(event.object).refs
    if refs.invoice and (refs.payment_intent or refs.charge):
        yield InvoicePaymentFact(refs, event.occurred_at)
    else:
        yield NoFacts("it names no invoice and payment of Stripe")


def _whole_invoice(event: EventView) -> Facts:
    invoice = StripeInvoice.read(event.object)
    if invoice.refs.subscription:
        yield invoice.to_fact(at=event.occurred_at)
    else:
        yield NoFacts(NO_SUBSCRIPTION)


def _appeal(event: EventView, kind: str) -> Facts:
    invoice = StripeInvoice.read(event.object)
    if not invoice.refs.subscription:
        yield NoFacts(NO_SUBSCRIPTION)
        return
    yield invoice.to_fact(at=event.occurred_at)
    yield SubscriptionNoticeFact(
        invoice.refs, kind, event.occurred_at, next_try_at=invoice.next_try_at, reason=invoice.finalization_error
    )


@handles("customer.created")
def customer_created(event: EventView) -> Facts:
    """Somebody new; they are ours as soon as they buy something of ours."""
    yield StripeCustomer.read(event.object).to_fact(at=event.occurred_at)


@handles("customer.updated")
def customer_updated(event: EventView) -> Facts:
    """Another name, address or card."""
    yield StripeCustomer.read(event.object).to_fact(at=event.occurred_at)


@handles("customer.deleted")
def customer_deleted(event: EventView) -> Facts:
    """They are gone at Stripe; what they paid stays, and their subscriptions tell of their own end."""
    yield StripeCustomer.read(event.object).to_fact(at=event.occurred_at, is_deleted=True)


@handles("setup_intent.succeeded")
def card_saved(event: EventView) -> Facts:
    """A way to pay was kept for later: no money, and nothing to open."""
    yield NoFacts("a card was saved for later; that pays nothing")
