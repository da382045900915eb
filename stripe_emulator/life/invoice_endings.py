"""An invoice that nobody expects to be paid, or that never became one."""

from stripe_emulator import store
from stripe_emulator.errors import Json, StripeRefusal
from stripe_emulator.events.emit import emit
from stripe_emulator.life import standing
from stripe_emulator.life.invoices import require
from stripe_emulator.models import StoredObject


def mark_uncollectible(invoice: StoredObject, *, at: int) -> None:
    """Nobody expects the money any more. Raises StripeRefusal unless it is open."""
    require(invoice, ("open",), "mark as uncollectible")
    standing.stop_collecting(invoice)
    transitions = {**invoice.data["status_transitions"], "marked_uncollectible_at": at}
    invoice.change(status="uncollectible", status_transitions=transitions)
    emit("invoice.marked_uncollectible", invoice, at=at)


def delete(invoice: StoredObject, *, at: int) -> Json:
    """The draft goes, and its items wait for the next invoice. Returns its stub.

    Raises StripeRefusal unless it is a draft that no subscription has made.
    """
    require(invoice, ("draft",), "delete")
    if invoice.data["billing_reason"] != "manual":
        raise StripeRefusal("You can't delete invoices created by subscriptions.", code="invoice_not_editable")
    standing.stop_collecting(invoice)
    for item in store.find("invoiceitem", invoice=invoice.stripe_id).select_for_update():
        item.change(invoice=None)
    gone = store.delete(invoice)
    emit("invoice.deleted", invoice, at=at)
    return gone
