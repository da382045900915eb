"""What the next invoice of a customer, or one of the drafts, is going to ask for besides subscriptions."""

from typing import Any

from stripe_emulator import store
from stripe_emulator.errors import Json, StripeRefusal
from stripe_emulator.events.emit import emit
from stripe_emulator.life.invoice_lines import rewrite
from stripe_emulator.models import StoredObject
from stripe_emulator.shapes.invoice_item import new_invoice_item
from stripe_emulator.shapes.invoice_line import priced


def add_item(
    *, customer: str, currency: str, at: int, amount: int, invoice: StoredObject | None = None, **fields: Any
) -> StoredObject:
    """Let it wait for the customer's next invoice, or add it to this draft. `amount` in minor units.

    Raises StripeRefusal if the invoice is no draft, another customer's or in another currency.
    """
    if invoice:
        _require_fitting(invoice, customer, currency)
        fields["invoice"] = invoice.stripe_id
    data = new_invoice_item(at, amount=amount, customer=customer, currency=currency, **fields)
    item = store.keep(data, parent=invoice)
    emit("invoiceitem.created", item, at=at)
    if invoice:
        rewrite(invoice, item)
    return item


def add_priced(price: Json, quantity: int, *, customer: str, at: int) -> StoredObject:
    """So many of a price that is paid once."""
    name = store.get("product", price["product"]).data["name"]
    return add_item(
        customer=customer,
        currency=price["currency"],
        at=at,
        amount=price["unit_amount"] * quantity,
        quantity=quantity,
        description=name,
        pricing=priced(price),
    )


def change_item(item: StoredObject, *, invoice: StoredObject | None, **fields: object) -> None:
    """Change the item, and its line where it stands in a draft already. Raises StripeRefusal if that is no draft."""
    if invoice:
        _require_draft(invoice)
    item.change(**fields)
    if invoice:
        rewrite(invoice, item)


def delete_item(item: StoredObject, *, invoice: StoredObject | None, at: int) -> Json:
    """Nobody is asked for it any more. Returns its stub; raises StripeRefusal if its invoice is no draft."""
    if invoice:
        _require_draft(invoice)
        rewrite(invoice, item, is_gone=True)
    gone = store.delete(item)
    emit("invoiceitem.deleted", item, at=at)
    return gone


def _require_fitting(invoice: StoredObject, customer: str, currency: str) -> None:
    _require_draft(invoice)
    for name, value in (("customer", customer), ("currency", currency)):
        if invoice.data[name] != value:
            raise StripeRefusal(f"The invoice has another {name}: {invoice.data[name]}.", param="invoice")


def _require_draft(invoice: StoredObject) -> None:
    if invoice.data["status"] != "draft":
        message = "The invoice item is attached to an invoice that is no longer editable."
        raise StripeRefusal(message, code="invoice_not_editable", param="invoice")
