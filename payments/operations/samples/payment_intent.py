"""A sample PaymentIntent, as Checkout makes it."""

from payments.operations.samples.story import Json, Story

USUAL: Json = {
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
OLD: Json = {"capture_method": "automatic", "invoice": None}
CURRENT: Json = {
    "allowed_payment_method_types": None,
    "capture_method": "automatic_async",
    "customer_account": None,
    "excluded_payment_method_types": None,
    "payment_details": None,
    "payment_record": None,
    "presentment_details": None,
}
# Declines whose error code is not the general `card_declined`, and Stripe's sentences for the usual ones.
OWN_CODES = (
    "expired_card",
    "incorrect_cvc",
    "incorrect_number",
    "processing_error",
    "authentication_required",
)
MESSAGES = {
    "authentication_required": "Your card was declined. This transaction requires authentication.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "incorrect_number": "Your card number is incorrect.",
    "insufficient_funds": "Your card has insufficient funds.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
}


def payment_intent(story: Story, *, status: str, received: int = 0, charge: str | None = None) -> Json:
    """The PaymentIntent as it stands with this status."""
    return {
        **USUAL,
        **story.by_shape(old=OLD, current=CURRENT),
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
        "code": code if code in OWN_CODES else "card_declined",
        "decline_code": code,
        "doc_url": "https://stripe.com/docs/error-codes/card-declined",
        "message": MESSAGES.get(code, "Your card was declined."),
        "payment_method": {"id": "pm_1sample", "object": "payment_method", "type": "card"},
        "type": "card_error",
    }
