"""PaymentIntents, SetupIntents and payment methods: https://docs.stripe.com/api/payment_intents/object"""

from stripe_emulator.errors import Json
from stripe_emulator.objects.parts import NO_ADDRESS, full_address, nulls, template
from stripe_emulator.store import new_id, random_text

INTENT_DEFAULTS: Json = {
    "object": "payment_intent",
    **nulls(
        "allowed_payment_method_types application application_fee_amount automatic_payment_methods canceled_at "
        "cancellation_reason customer customer_account description excluded_payment_method_types last_payment_error "
        "latest_charge next_action on_behalf_of payment_method payment_method_configuration_details payment_record "
        "processing receipt_email review setup_future_usage shipping source statement_descriptor "
        "statement_descriptor_suffix transfer_data transfer_group"
    ),
    "amount_capturable": 0,
    "amount_details": {"tip": {}},
    "amount_received": 0,
    "capture_method": "automatic_async",
    "confirmation_method": "automatic",
    "livemode": False,
    "metadata": {},
    "payment_method_options": {
        "card": {**nulls("installments mandate_options network"), "request_three_d_secure": "automatic"}
    },
    "payment_method_types": ["card", "sepa_debit"],
    "status": "requires_payment_method",
}


def new_payment_intent(at: int, **fields: object) -> Json:
    """An intent made at this moment; `amount` and `currency` must be among the fields."""
    id = new_id("pi_3")
    return {**INTENT_DEFAULTS, "id": id, "created": at, "client_secret": f"{id}_secret_{random_text(25)}", **fields}


SETUP_DEFAULTS: Json = {
    "object": "setup_intent",
    **nulls(
        "allowed_payment_method_types application automatic_payment_methods cancellation_reason customer "
        "customer_account description excluded_payment_method_types flow_directions last_setup_error latest_attempt "
        "mandate next_action on_behalf_of payment_method payment_method_configuration_details single_use_mandate"
    ),
    "livemode": False,
    "metadata": {},
    "payment_method_options": {
        "card": {"mandate_options": None, "network": None, "request_three_d_secure": "automatic"}
    },
    "payment_method_types": ["card", "sepa_debit"],
    "status": "requires_payment_method",
    "usage": "off_session",
}


def new_setup_intent(at: int, **fields: object) -> Json:
    """An intent made at this moment."""
    id = new_id("seti_1")
    return {**SETUP_DEFAULTS, "id": id, "created": at, "client_secret": f"{id}_secret_{random_text(25)}", **fields}


NO_BILLING_DETAILS: Json = {"address": NO_ADDRESS, "email": None, "name": None, "phone": None, "tax_id": None}
new_payment_method = template(
    "payment_method",
    "pm_1",
    allow_redisplay="unspecified",
    billing_details=NO_BILLING_DETAILS,
    customer=None,
    customer_account=None,
    livemode=False,
    metadata={},
)
"""`type` and the fields of that type must be among the fields."""
CARD_CHECKS: Json = {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"}


def card_fields(brand: str, **fields: object) -> Json:
    """The `card` of a payment method; country, expiry, fingerprint, funding and last4 must be among the fields."""
    return {
        "brand": brand,
        "checks": CARD_CHECKS,
        "display_brand": brand,
        "generated_from": None,
        "networks": {"available": [brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
        **fields,
    }


def debit_fields(iban: str, mark: str) -> Json:
    """The `sepa_debit` of a payment method. `mark`: its fingerprint."""
    return {
        "bank_code": iban[4:9],
        "branch_code": "",
        "country": iban[:2],
        "fingerprint": mark,
        "generated_from": {"charge": None, "setup_attempt": None},
        "last4": iban[-4:],
    }


def billing_details(given: Json | None) -> Json:
    """Complete billing details: what is not given, or emptied, is null."""
    details = {name: (given or {}).get(name) or None for name in NO_BILLING_DETAILS}
    return details | {"address": full_address(details["address"]) or NO_ADDRESS}
