"""What the events of an invoice say: https://docs.stripe.com/api/events/types#event_types-invoice.paid

They tell of money and of who owes it, never of the subscription's state.
"""

from payments.facts import AppealFact, Facts, LinkFact, Nothing
from payments.handlers.registry import EventView, handles
from payments.stripe_api.snapshots import Invoice, InvoicePayment

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
    about = InvoicePayment.read(event.object).about
    if about.invoice and (about.payment_intent or about.charge):
        yield LinkFact(about, event.occurred_at)
    else:
        yield Nothing("it names no invoice and payment of Stripe")


def _whole_invoice(event: EventView) -> Facts:
    invoice = Invoice.read(event.object)
    if invoice.about.subscription:
        yield invoice.told(at=event.occurred_at)
    else:
        yield Nothing(NO_SUBSCRIPTION)


def _appeal(event: EventView, kind: str) -> Facts:
    invoice = Invoice.read(event.object)
    if not invoice.about.subscription:
        yield Nothing(NO_SUBSCRIPTION)
        return
    yield invoice.told(at=event.occurred_at)
    yield AppealFact(
        invoice.about, kind, event.occurred_at, next_try_at=invoice.next_try_at, reason=invoice.finalization_error
    )
