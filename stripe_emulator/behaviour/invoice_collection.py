"""What happens to an invoice by itself: finalized after an hour, tried, tried again, and given up."""

from stripe_emulator.behaviour import invoices, subscription_status
from stripe_emulator.errors import CardDeclined, StripeRefusal
from stripe_emulator.events.emit import emit
from stripe_emulator.models import StoredObject
from stripe_emulator.timers import reacts_to


@reacts_to("invoice.retry")
def collect(invoice: StoredObject, *, at: int) -> None:
    """What happens by itself to an open invoice: a try with the usual method; a refusal is an outcome."""
    if invoice.data["status"] != "open" or invoices.is_processing(invoice):
        return
    if invoice.data["collection_method"] == "send_invoice":
        emit("invoice.sent", invoice, at=at)
    elif invoices.default_method(invoice) is None:
        invoices.count_attempt(invoice, is_automatic=True)
        invoices.mark_attempt_failed(invoice, at=at)
    else:
        try:
            invoices.pay_invoice(invoice, at=at, is_automatic=True)
        except CardDeclined:
            return  # told by whoever tried
        except StripeRefusal:
            invoices.mark_attempt_failed(invoice, at=at)  # the method cannot even be tried


@reacts_to("invoice.finalize")
def _finalize_when_due(invoice: StoredObject, *, at: int) -> None:
    """The draft has waited long enough. A subscription whose collection is paused says what becomes of it."""
    subscription = subscription_status.subscription_of(invoice)
    invoices.finalize(invoice, at=at)
    paused = subscription.data["pause_collection"] if subscription else None
    if not paused:
        collect(invoice, at=at)
    elif invoice.data["status"] == "open":
        (invoices.void if paused["behavior"] == "void" else mark_uncollectible)(invoice, at=at)


def mark_uncollectible(invoice: StoredObject, *, at: int) -> None:
    """Nobody expects the money any more. Raises StripeRefusal unless it is open."""
    invoices.require_status(invoice, ("open",), "mark as uncollectible")
    subscription_status.stop_collecting(invoice)
    invoices.turn(invoice, "uncollectible", at=at)
    emit("invoice.marked_uncollectible", invoice, at=at)
