"""A line of what is bought: https://docs.stripe.com/api/checkout/sessions/line_items"""

from stripe_emulator.ids import new_id
from stripe_emulator.models import Json


def new_line_item(*, price: Json, quantity: int, description: str, **fields: object) -> Json:
    """One line; amounts in minor units of the price's currency."""
    amount = price["unit_amount"] * quantity
    return {
        "id": new_id("li_1"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": description,
        "metadata": {},
        "price": price,
        "quantity": quantity,
        **fields,
    }
