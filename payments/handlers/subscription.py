"""What the events of customers, subscriptions and invoices say.

https://docs.stripe.com/api/events/types#event_types-customer.subscription.created
Invoices tell of money and of who owes it, never of the subscription's state.
"""

from payments.facts import Facts, InvoicePaymentFact, NoFacts, SubscriptionNoticeFact
from payments.handlers.registry import EventView, handles
from payments.stripe_api.snapshots import StripeCustomer, StripeInvoice, StripeInvoicePayment, StripeSubscription

# What the subscriber or staff are told for an event of an invoice.
INVOICE_NOTICES = {
    "invoice.payment_failed": "payment_failed",
    "invoice.payment_action_required": "action_required",
    "invoice.finalization_failed": "finalization_failed",
}


@handles(
    "customer.created",  # ours as soon as they buy something of ours
    "customer.updated",
    "customer.deleted",  # what they paid stays; their subscriptions tell of their own end
)
def customer(event: EventView) -> Facts:
    """Who somebody is and where they live."""
    is_deleted = event.type == "customer.deleted"
    yield StripeCustomer.read(event.object).to_fact(at=event.occurred_at, is_deleted=is_deleted)


@handles("setup_intent.succeeded")
def card_saved(event: EventView) -> Facts:
    """A way to pay was kept for later: no money, and nothing to open."""
    yield NoFacts("a card was saved for later; that pays nothing")


@handles(
    "customer.subscription.created",  # before the first payment that opens nothing
    "customer.subscription.updated",  # a renewal, another plan, a planned end, a pause of the collection
    "customer.subscription.deleted",  # it has ended; a planned end is told by `updated` before
    "customer.subscription.paused",  # its status is `paused`
    "customer.subscription.resumed",
)
def subscription(event: EventView) -> Facts:
    """Whatever changed, the event carries the whole subscription."""
    is_created = event.type == "customer.subscription.created"
    yield StripeSubscription.read(event.object).to_fact(at=event.occurred_at, from_created_event=is_created)


@handles("customer.subscription.trial_will_end")
def trial_will_end(event: EventView) -> Facts:
    """Three days before the trial ends, or when it is ended at once: the buyer is told."""
    read = StripeSubscription.read(event.object)
    yield read.to_fact(at=event.occurred_at)
    yield SubscriptionNoticeFact(read.refs, "trial_will_end", event.occurred_at)


@handles(
    "invoice.paid",  # also marked as paid, or nothing to pay
    "invoice.payment_succeeded",  # its older name, sent beside it where Stripe took the money
    "invoice.payment_failed",  # one attempt to collect failed; Stripe may try again by itself
    "invoice.payment_action_required",  # the bank asks the customer, who is not there: they have to come and confirm
    "invoice.finalization_failed",  # Stripe cannot make it ready to be paid: staff have to look
)
def invoice(event: EventView) -> Facts:
    """What was paid; and for some events, that somebody has to be told."""
    read = StripeInvoice.read(event.object)
    if not read.refs.subscription:
        yield NoFacts("the invoice belongs to no subscription")
        return
    yield read.to_fact(at=event.occurred_at)
    if notice := INVOICE_NOTICES.get(event.type):
        yield SubscriptionNoticeFact(
            read.refs, notice, event.occurred_at, next_try_at=read.next_try_at, reason=read.finalization_error
        )


@handles("invoice_payment.paid")
def invoice_payment(event: EventView) -> Facts:
    """Which payment paid which invoice: since basil nothing else that is sent tells it."""
    refs = StripeInvoicePayment.read(event.object).refs
    if refs.invoice and (refs.payment_intent or refs.charge):
        yield InvoicePaymentFact(refs, event.occurred_at)
    else:
        yield NoFacts("it names no invoice and payment of Stripe")
