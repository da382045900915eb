"""An intent to collect a payment: https://docs.stripe.com/api/payment_intents/object"""

from stripe_emulator.ids import new_id, random_text
from stripe_emulator.models import Json

USUAL: Json = {
    "object": "payment_intent",
    "allowed_payment_method_types": None,
    "amount_capturable": 0,
    "amount_details": {"tip": {}},
    "amount_received": 0,
    "application": None,
    "application_fee_amount": None,
    "automatic_payment_methods": None,
    "canceled_at": None,
    "cancellation_reason": None,
    "capture_method": "automatic_async",
    "confirmation_method": "automatic",
    "customer": None,
    "customer_account": None,
    "description": None,
    "excluded_payment_method_types": None,
    "last_payment_error": None,
    "latest_charge": None,
    "livemode": False,
    "metadata": {},
    "next_action": None,
    "on_behalf_of": None,
    "payment_method": None,
    "payment_method_configuration_details": None,
    "payment_method_options": {
        "card": {
            "installments": None,
            "mandate_options": None,
            "network": None,
            "request_three_d_secure": "automatic",
        },
    },
    "payment_method_types": ["card", "sepa_debit"],
    "payment_record": None,
    "processing": None,
    "receipt_email": None,
    "review": None,
    "setup_future_usage": None,
    "shipping": None,
    "source": None,
    "statement_descriptor": None,
    "statement_descriptor_suffix": None,
    "status": "requires_payment_method",
    "transfer_data": None,
    "transfer_group": None,
}


def new_payment_intent(at: int, **fields: object) -> Json:
    """An intent made at this moment; `amount` and `currency` must be among the fields."""
    id = new_id("pi_3")
    return {**USUAL, "id": id, "created": at, "client_secret": f"{id}_secret_{random_text(25)}", **fields}
