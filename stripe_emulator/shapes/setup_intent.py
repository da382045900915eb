"""An intent to keep a way to pay for later: https://docs.stripe.com/api/setup_intents/object"""

from stripe_emulator.ids import new_id, random_text
from stripe_emulator.models import Json

USUAL: Json = {
    "object": "setup_intent",
    "allowed_payment_method_types": None,
    "application": None,
    "automatic_payment_methods": None,
    "cancellation_reason": None,
    "customer": None,
    "customer_account": None,
    "description": None,
    "excluded_payment_method_types": None,
    "flow_directions": None,
    "last_setup_error": None,
    "latest_attempt": None,
    "livemode": False,
    "mandate": None,
    "metadata": {},
    "next_action": None,
    "on_behalf_of": None,
    "payment_method": None,
    "payment_method_configuration_details": None,
    "payment_method_options": {
        "card": {"mandate_options": None, "network": None, "request_three_d_secure": "automatic"}
    },
    "payment_method_types": ["card", "sepa_debit"],
    "single_use_mandate": None,
    "status": "requires_payment_method",
    "usage": "off_session",
}


def new_setup_intent(at: int, **fields: object) -> Json:
    """An intent made at this moment."""
    id = new_id("seti_1")
    return {**USUAL, "id": id, "created": at, "client_secret": f"{id}_secret_{random_text(25)}", **fields}
