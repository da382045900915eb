"""A sample Checkout session in payment mode."""

from payments.operations.samples.story import Json, Story

USUAL: Json = {
    "object": "checkout.session",
    "after_expiration": None,
    "allow_promotion_codes": None,
    "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
    "billing_address_collection": None,
    "cancel_url": "https://example.com/canceled",
    "client_secret": None,
    "consent": None,
    "consent_collection": None,
    "currency_conversion": None,
    "custom_fields": [],
    "custom_text": {
        "after_submit": None,
        "shipping_address": None,
        "submit": None,
        "terms_of_service_acceptance": None,
    },
    "customer": None,
    "customer_creation": "if_required",
    "invoice": None,
    "invoice_creation": None,
    "locale": "auto",
    "mode": "payment",
    "payment_link": None,
    "payment_method_collection": "if_required",
    "payment_method_configuration_details": None,
    "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
    "payment_method_types": ["card"],
    "phone_number_collection": {"enabled": False},
    "recovered_from": None,
    "setup_intent": None,
    "shipping_address_collection": None,
    "shipping_cost": None,
    "shipping_options": [],
    "submit_type": None,
    "subscription": None,
    "success_url": "https://example.com/thanks",
    "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
    "url": None,
}
OLD: Json = {"shipping_details": None, "ui_mode": "hosted"}
CURRENT: Json = {
    "adaptive_pricing": {"enabled": False},
    "branding_settings": None,
    "collected_information": None,
    "customer_account": None,
    "discounts": [],
    "origin_context": None,
    "permissions": None,
    "presentment_details": None,
    "saved_payment_method_options": None,
    "ui_mode": "hosted_page",
    "wallet_options": None,
}


def checkout_session(story: Story, *, status: str, payment_status: str) -> Json:
    """The session as it stands with these states."""
    subject = story.subject
    has_payment = status == "complete" and payment_status != "no_payment_required"
    return {
        **USUAL,
        **story.by_shape(old=OLD, current=CURRENT),
        "id": story.session,
        "amount_subtotal": story.amount,
        "amount_total": story.amount,
        "client_reference_id": subject.order,
        "created": story.after(seconds=0),
        "currency": subject.currency,
        "customer_details": _customer_details(story) if status == "complete" else None,
        "customer_email": subject.email,
        "expires_at": story.after(seconds=0) + 31 * 60,
        "livemode": subject.livemode,
        "metadata": story.metadata,
        "payment_intent": story.payment_intent if has_payment else None,
        "payment_status": payment_status,
        "status": status,
    }


def completed(story: Story) -> Json:
    """The buyer went through; nothing is to be paid for what costs nothing."""
    usual = "paid" if story.amount else "no_payment_required"
    return checkout_session(story, status="complete", payment_status=story.variation.status or usual)


def _customer_details(story: Story) -> Json:
    address = {
        "city": None,
        "country": "FR",
        "line1": None,
        "line2": None,
        "postal_code": None,
        "state": None,
    }
    return {
        "address": address,
        "email": story.subject.email,
        "name": story.subject.name,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }
