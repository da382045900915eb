"""Money given back: https://docs.stripe.com/api/refunds/object"""

from stripe_emulator.ids import new_id
from stripe_emulator.models import Json

USUAL: Json = {
    "object": "refund",
    "balance_transaction": None,
    "charge": None,
    "customer": None,
    "customer_account": None,
    "description": None,
    "destination_details": None,
    "metadata": {},
    "payment_intent": None,
    "payment_method": None,
    "reason": None,
    "receipt_number": None,
    "source_transfer_reversal": None,
    "status": "succeeded",
    "transfer_reversal": None,
}


def new_refund(at: int, **fields: object) -> Json:
    """A refund made at this moment; `amount` and `currency` must be among the fields."""
    return {**USUAL, "id": new_id("re_3"), "created": at, **fields}


def destination(method_type: str) -> Json:
    """Where the money goes: back to what it came from."""
    if method_type == "card":
        details = {"reference": None, "reference_status": "pending", "reference_type": None, "type": "refund"}
        return {"card": details, "type": "card"}
    details = {"reference": None, "reference_status": "pending"}
    return {"eu_bank_transfer": details, "type": "eu_bank_transfer"}
