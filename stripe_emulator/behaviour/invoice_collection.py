"""What happens to an invoice by itself: finalized after an hour, tried, tried again, and given up."""

from stripe_emulator.behaviour import subscription_status
from stripe_emulator.behaviour.invoices import (
    count_attempt,
    default_method,
    finalize,
    is_processing,
    mark_attempt_failed,
    pay_invoice,
    require_status,
    void,
)
from stripe_emulator.errors import CardDeclined, StripeRefusal
from stripe_emulator.events.emit import emit
from stripe_emulator.models import StoredObject
from stripe_emulator.timers import reacts_to


def collect(invoice: StoredObject, *, at: int) -> None:
    """What happens by itself to an open invoice: a try with the usual method; a refusal is an outcome."""
    if invoice.data["status"] != "open" or is_processing(invoice):
        return
    if invoice.data["collection_method"] == "send_invoice":
        emit("invoice.sent", invoice, at=at)
    elif default_method(invoice) is None:
        count_attempt(invoice, is_automatic=True)
        mark_attempt_failed(invoice, at=at)
    else:
        _pay_off_session(invoice, at)


@reacts_to("invoice.finalize")
def _finalize_when_due(invoice: StoredObject, at: int) -> None:
    """The draft has waited long enough. A subscription whose collection is paused says what becomes of it."""
    subscription = subscription_status.subscription_of(invoice)
    finalize(invoice, at=at)
    paused = subscription.data["pause_collection"] if subscription else None
    if not paused:
        collect(invoice, at=at)
    elif invoice.data["status"] == "open":
        (void if paused["behavior"] == "void" else mark_uncollectible)(invoice, at=at)


@reacts_to("invoice.retry")
def _retry_when_due(invoice: StoredObject, at: int) -> None:
    """The next planned try."""
    collect(invoice, at=at)


def mark_uncollectible(invoice: StoredObject, *, at: int) -> None:
    """Nobody expects the money any more. Raises StripeRefusal unless it is open."""
    require_status(invoice, ("open",), "mark as uncollectible")
    subscription_status.stop_collecting(invoice)
    transitions = {**invoice.data["status_transitions"], "marked_uncollectible_at": at}
    invoice.change(status="uncollectible", status_transitions=transitions)
    emit("invoice.marked_uncollectible", invoice, at=at)


def _pay_off_session(invoice: StoredObject, at: int) -> None:
    """A decline has been told by whoever tried; a method that cannot even be tried is a failure too."""
    try:
        pay_invoice(invoice, at=at, is_automatic=True)
    except CardDeclined:
        return
    except StripeRefusal:
        mark_attempt_failed(invoice, at=at)
