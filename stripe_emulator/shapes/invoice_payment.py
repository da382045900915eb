"""The link between an invoice and what pays it: https://docs.stripe.com/api/invoice-payment/object"""

from stripe_emulator.ids import new_id
from stripe_emulator.models import Json

USUAL: Json = {
    "object": "invoice_payment",
    "amount_paid": None,
    "is_default": True,
    "livemode": False,
    "status": "open",
    "status_transitions": {"canceled_at": None, "paid_at": None},
}


def new_invoice_payment(at: int, *, payment_intent: str, **fields: object) -> Json:
    """An intent that is going to pay an invoice."""
    payment = {"payment_intent": payment_intent, "type": "payment_intent"}
    return {**USUAL, "id": new_id("inpay_1"), "created": at, "payment": payment, **fields}
