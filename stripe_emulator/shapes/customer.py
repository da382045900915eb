"""A customer: https://docs.stripe.com/api/customers/object"""

from stripe_emulator.ids import new_id, random_text
from stripe_emulator.models import Json

USUAL: Json = {
    "object": "customer",
    "address": None,
    "balance": 0,
    "currency": None,
    "default_source": None,
    "delinquent": False,
    "description": None,
    "email": None,
    "invoice_settings": {
        "custom_fields": None,
        "default_payment_method": None,
        "footer": None,
        "rendering_options": None,
    },
    "livemode": False,
    "metadata": {},
    "name": None,
    "phone": None,
    "preferred_locales": [],
    "shipping": None,
    "tax_exempt": "none",
    "test_clock": None,
}


def new_customer(at: int, **fields: object) -> Json:
    """A customer born at this moment."""
    identity = {"id": new_id("cus_", length=14), "created": at, "invoice_prefix": random_text(8).upper()}
    return {**USUAL, **identity, "next_invoice_sequence": 1, **fields}
