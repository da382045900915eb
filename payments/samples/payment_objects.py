"""Sample objects of paying: a Checkout session in payment mode, and the PaymentIntent that it makes."""

from payments.samples.story import Json, Story

SESSION_USUAL: Json = {
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
SESSION_OLD: Json = {"shipping_details": None, "ui_mode": "hosted"}
SESSION_CURRENT: Json = {
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
INTENT_USUAL: Json = {
    "object": "payment_intent",
    "amount_capturable": 0,
    "amount_details": {"tip": {}},
    "application": None,
    "application_fee_amount": None,
    "automatic_payment_methods": None,
    "canceled_at": None,
    "cancellation_reason": None,
    "confirmation_method": "automatic",
    "customer": None,
    "description": None,
    "last_payment_error": None,
    "next_action": None,
    "on_behalf_of": None,
    "payment_method": None,
    "payment_method_configuration_details": None,
    "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
    "payment_method_types": ["card"],
    "processing": None,
    "receipt_email": None,
    "review": None,
    "setup_future_usage": None,
    "shipping": None,
    "source": None,
    "statement_descriptor": None,
    "statement_descriptor_suffix": None,
    "transfer_data": None,
    "transfer_group": None,
}
INTENT_OLD: Json = {"capture_method": "automatic", "invoice": None}
INTENT_CURRENT: Json = {
    "allowed_payment_method_types": None,
    "capture_method": "automatic_async",
    "customer_account": None,
    "excluded_payment_method_types": None,
    "payment_details": None,
    "payment_record": None,
    "presentment_details": None,
}
# Declines whose error code is not the general `card_declined`, and Stripe's sentences for the usual ones.
DECLINES_WITH_OWN_CODE = (
    "expired_card",
    "incorrect_cvc",
    "incorrect_number",
    "processing_error",
    "authentication_required",
)
DECLINE_MESSAGES = {
    "authentication_required": "Your card was declined. This transaction requires authentication.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "incorrect_number": "Your card number is incorrect.",
    "insufficient_funds": "Your card has insufficient funds.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
}


def checkout_session(story: Story, *, status: str, payment_status: str) -> Json:
    """The session as it stands with these states."""
    subject = story.subject
    has_payment = status == "complete" and payment_status != "no_payment_required"
    return {
        **SESSION_USUAL,
        **story.by_shape(old=SESSION_OLD, current=SESSION_CURRENT),
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


def payment_intent(story: Story, *, status: str, received: int = 0, charge: str | None = None) -> Json:
    """The PaymentIntent as it stands with this status."""
    return {
        **INTENT_USUAL,
        **story.by_shape(old=INTENT_OLD, current=INTENT_CURRENT),
        "id": story.payment_intent,
        "amount": story.amount,
        "amount_received": received,
        "client_secret": f"{story.payment_intent}_secret_sample",
        "created": story.after(seconds=30),
        "currency": story.subject.currency,
        "latest_charge": charge,
        "livemode": story.subject.livemode,
        "metadata": story.metadata,
        "status": status,
    }


def succeeded(story: Story) -> Json:
    """All of the money arrived."""
    intent = payment_intent(story, status="succeeded", received=story.amount, charge=story.charge)
    return {**intent, "payment_method": "pm_1sample"}


def declined(story: Story) -> Json:
    """The bank said no; Checkout lets the buyer try again."""
    intent = payment_intent(story, status="requires_payment_method", charge=story.declined_charge)
    return {**intent, "last_payment_error": _decline(story)}


def canceled(story: Story) -> Json:
    """Nobody will pay through it any more."""
    intent = payment_intent(story, status="canceled")
    return {**intent, "canceled_at": story.now(), "cancellation_reason": "abandoned"}


def waiting_for_buyer(story: Story) -> Json:
    """The bank asks the buyer to confirm."""
    action = {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}
    intent = payment_intent(story, status="requires_action")
    return {**intent, "next_action": action, "payment_method": "pm_1sample"}


def processing(story: Story) -> Json:
    """A bank debit is under way for some days."""
    intent = payment_intent(story, status="processing", charge=story.charge)
    return {**intent, "payment_method": "pm_1sample", "payment_method_types": ["sepa_debit"]}


def _decline(story: Story) -> Json:
    code = story.variation.decline_code
    return {
        "charge": story.declined_charge,
        "code": code if code in DECLINES_WITH_OWN_CODE else "card_declined",
        "decline_code": code,
        "doc_url": "https://stripe.com/docs/error-codes/card-declined",
        "message": DECLINE_MESSAGES.get(code, "Your card was declined."),
        "payment_method": {"id": "pm_1sample", "object": "payment_method", "type": "card"},
        "type": "card_error",
    }
