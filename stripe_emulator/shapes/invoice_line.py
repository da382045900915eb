"""A line of an invoice: https://docs.stripe.com/api/invoice-line-item/object"""

from stripe_emulator.ids import new_id
from stripe_emulator.models import Json

USUAL: Json = {
    "object": "line_item",
    "description": None,
    "discount_amounts": [],
    "discountable": True,
    "discounts": [],
    "livemode": False,
    "metadata": {},
    "pretax_credit_amounts": [],
    "pricing": None,
    "subscription": None,
    "taxes": [],
}


def new_invoice_line(*, amount: int, quantity: int = 1, **fields: object) -> Json:
    """One line; `amount` is the whole of it, in minor units."""
    sums = {"amount": amount, "subtotal": amount, "quantity": quantity, "quantity_decimal": str(quantity)}
    return {**USUAL, "id": new_id("il_1"), **sums, **fields}


def priced(price: Json) -> Json:
    """How a line or an invoice item tells its price."""
    details = {"price": price["id"], "product": price["product"]}
    return {
        "type": "price_details",
        "price_details": details,
        "unit_amount_decimal": price["unit_amount_decimal"],
    }
