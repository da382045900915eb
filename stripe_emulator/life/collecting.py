"""What happens to an invoice by itself: it is finalized after an hour, tried, and tried again."""

from stripe_emulator.errors import CardDeclined, StripeRefusal
from stripe_emulator.events.emit import emit
from stripe_emulator.life import standing
from stripe_emulator.life.invoice_endings import mark_uncollectible
from stripe_emulator.life.invoice_methods import default_method
from stripe_emulator.life.invoice_outcomes import failed
from stripe_emulator.life.invoices import CAN_BE_PAID, count_try, finalize, is_under_way, pay_invoice, require, void
from stripe_emulator.models import StoredObject
from stripe_emulator.timers import reacts_to


def collect(invoice: StoredObject, *, at: int) -> None:
    """What happens by itself to an open invoice: a try with the usual method; a refusal is an outcome."""
    if invoice.data["status"] != "open" or is_under_way(invoice):
        return
    if invoice.data["collection_method"] == "send_invoice":
        emit("invoice.sent", invoice, at=at)
    elif default_method(invoice) is None:
        count_try(invoice, is_automatic=True)
        failed(invoice, at=at)
    else:
        _try_unattended(invoice, at)


def send(invoice: StoredObject, *, at: int) -> None:
    """Send it to the customer by hand, finalized if it is a draft. Raises StripeRefusal if it is charged instead."""
    if invoice.data["collection_method"] != "send_invoice":
        raise StripeRefusal("You can only manually send an invoice if its collection method is 'send_invoice'.")
    if invoice.data["status"] == "draft":
        finalize(invoice, at=at)
    require(invoice, (*CAN_BE_PAID, "paid"), "send")
    emit("invoice.sent", invoice, at=at)


@reacts_to("invoice.finalize")
def finalize_by_itself(invoice: StoredObject, at: int) -> None:
    """The draft has waited long enough. A subscription whose collection is paused says what becomes of it."""
    subscription = standing.subscription_of(invoice)
    finalize(invoice, at=at)
    paused = subscription.data["pause_collection"] if subscription else None
    if not paused:
        collect(invoice, at=at)
    elif invoice.data["status"] == "open":
        (void if paused["behavior"] == "void" else mark_uncollectible)(invoice, at=at)


@reacts_to("invoice.retry")
def retry(invoice: StoredObject, at: int) -> None:
    """The next planned try."""
    collect(invoice, at=at)


def _try_unattended(invoice: StoredObject, at: int) -> None:
    """A decline has been told by whoever tried; a method that cannot even be tried is a failure too."""
    try:
        pay_invoice(invoice, at=at, is_automatic=True)
    except CardDeclined:
        return
    except StripeRefusal:
        failed(invoice, at=at)
