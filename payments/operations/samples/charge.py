"""A sample charge of which money was given back."""

from payments.operations.samples.story import Json, Story

USUAL: Json = {
    "object": "charge",
    "application": None,
    "application_fee": None,
    "application_fee_amount": None,
    "calculated_statement_descriptor": "SAMPLE",
    "captured": True,
    "customer": None,
    "description": None,
    "disputed": False,
    "failure_balance_transaction": None,
    "failure_code": None,
    "failure_message": None,
    "fraud_details": {},
    "on_behalf_of": None,
    "outcome": {
        "network_status": "approved_by_network",
        "reason": None,
        "risk_level": "normal",
        "risk_score": 12,
        "seller_message": "Payment complete.",
        "type": "authorized",
    },
    "paid": True,
    "payment_method": "pm_1sample",
    "payment_method_details": {
        "card": {
            "brand": "visa",
            "country": "FR",
            "exp_month": 12,
            "exp_year": 2034,
            "funding": "credit",
            "last4": "4242",
            "network": "visa",
            "three_d_secure": None,
            "wallet": None,
        },
        "type": "card",
    },
    "radar_options": {},
    "receipt_email": None,
    "receipt_number": None,
    "review": None,
    "shipping": None,
    "source": None,
    "source_transfer": None,
    "statement_descriptor": None,
    "statement_descriptor_suffix": None,
    "status": "succeeded",
    "transfer_data": None,
    "transfer_group": None,
}
OLD: Json = {"invoice": None}
CURRENT: Json = {"presentment_details": None}


def refunded_charge(story: Story) -> Json:
    """The charge that paid, with the running total of what went back."""
    subject = story.subject
    return {
        **USUAL,
        **story.by_shape(old=OLD, current=CURRENT),
        "id": story.charge,
        "amount": subject.amount,
        "amount_captured": subject.amount,
        "amount_refunded": story.amount,
        "balance_transaction": story.charge.replace("ch_", "txn_", 1),
        "billing_details": {"address": None, "email": subject.email, "name": subject.name, "phone": None},
        "created": story.after(seconds=45),
        "currency": subject.currency,
        "livemode": subject.livemode,
        "metadata": story.metadata,
        "payment_intent": story.payment_intent,
        "receipt_url": f"https://pay.stripe.com/receipts/{story.charge}",
        "refunded": story.amount >= subject.amount,
    }
