"""A Checkout session: https://docs.stripe.com/api/checkout/sessions/object"""

from stripe_emulator.errors import Json
from stripe_emulator.models import StoredObject
from stripe_emulator.objects.parts import expandable, list_object, nulls, zeros
from stripe_emulator.store import new_id

SESSION_DEFAULTS: Json = {
    "object": "checkout.session",
    "adaptive_pricing": {"enabled": False},
    **nulls(
        "after_expiration allow_promotion_codes allowed_payment_method_types billing_address_collection "
        "branding_settings cancel_url client_reference_id client_secret collected_information consent "
        "consent_collection currency_conversion customer customer_account customer_creation customer_details "
        "customer_email excluded_payment_method_types integration_identifier invoice invoice_creation locale "
        "managed_payments optional_items origin_context payment_intent payment_link "
        "payment_method_configuration_details permissions recovered_from saved_payment_method_options setup_intent "
        "shipping_address_collection shipping_cost submit_type subscription success_url wallet_options"
    ),
    "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
    "custom_fields": [],
    "custom_text": nulls("after_submit shipping_address submit terms_of_service_acceptance"),
    "discounts": [],
    "livemode": False,
    "metadata": {},
    "payment_method_collection": "if_required",
    "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
    "payment_status": "unpaid",
    "phone_number_collection": {"enabled": False},
    "shipping_options": [],
    "status": "open",
    "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
    "ui_mode": "hosted_page",
}
NO_INVOICE_CREATION: Json = {
    "enabled": False,
    "invoice_data": {
        **nulls("account_tax_ids custom_fields description footer issuer rendering_options"),
        "metadata": {},
    },
}
UNKNOWN_CUSTOMER: Json = {
    **nulls("address business_name email individual_name name phone"),
    "tax_exempt": "none",
    "tax_ids": [],
}


def new_session(at: int, *, base_url: str, **fields: object) -> Json:
    """An open session born at this moment; the buyer's page is under `base_url`."""
    id = new_id("cs_test_", length=58)
    return {**SESSION_DEFAULTS, "id": id, "created": at, "url": f"{base_url}/pay/{id}", **fields}


@expandable("checkout.session", "line_items")
def line_items(session: StoredObject) -> Json:
    """What is bought."""
    return list_object(session.hidden["line_items"], url=f"/v1/checkout/sessions/{session.stripe_id}/line_items")


def new_line_item(*, price: Json, quantity: int, description: str, **fields: object) -> Json:
    """One line; amounts in minor units of the price's currency."""
    amount = price["unit_amount"] * quantity
    return {
        "id": new_id("li_1"),
        "object": "item",
        "adjustable_quantity": None,
        **zeros("amount_discount amount_tax"),
        "amount_subtotal": amount,
        "amount_total": amount,
        "currency": price["currency"],
        "description": description,
        "metadata": {},
        "price": price,
        "quantity": quantity,
        **fields,
    }
