"""An invoice item: https://docs.stripe.com/api/invoiceitems/object"""

from stripe_emulator.ids import new_id
from stripe_emulator.models import Json

USUAL: Json = {
    "object": "invoiceitem",
    "customer_account": None,
    "description": None,
    "discountable": True,
    "discounts": [],
    "frozen_fields": None,
    "invoice": None,
    "invoicing_rules": None,
    "livemode": False,
    "metadata": {},
    "parent": None,
    "pricing": None,
    "proration": False,
    "proration_details": None,
    "tax_rates": [],
    "test_clock": None,
}


def new_invoice_item(at: int, *, amount: int, quantity: int = 1, **fields: object) -> Json:
    """Something that the next invoice asks for. `amount` is the whole of it, in minor units."""
    sums = {"amount": amount, "net_amount": amount, "quantity": quantity, "quantity_decimal": str(quantity)}
    return {**USUAL, "id": new_id("ii_1"), "date": at, "period": {"end": at, "start": at}, **sums, **fields}
