"""Why cards are declined, in Stripe's words: https://docs.stripe.com/declines/codes"""

from stripe_emulator.errors import CardDeclined
from stripe_emulator.models import Json

USUAL = "Your card was declined."
MESSAGES = {
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
    "card_velocity_exceeded": (
        "Your card was declined for making repeated attempts too frequently or exceeding its amount limit."
    ),
    "authentication_required": "Your card was declined. This transaction requires authentication.",
}
# Elsewhere the error's code is `card_declined`, and only its decline code tells more.
OWN_CODES = frozenset({"expired_card", "incorrect_cvc", "processing_error", "authentication_required"})
NOT_AUTHENTICATED = (
    "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new PaymentMethod "
    "to attempt to fulfill this PaymentIntent again."
)
SETUP_NOT_AUTHENTICATED = (
    "The latest attempt to set up the payment method has failed because authentication failed. You can provide "
    "payment_method_data or a new PaymentMethod to attempt to set it up again."
)
DEBIT_FAILED = "The customer's bank account could not be debited."


def code_of(decline_code: str) -> str:
    """The code of the error that this decline brings."""
    return decline_code if decline_code in OWN_CODES else "card_declined"


def message_of(decline_code: str) -> str:
    """What the buyer may be told."""
    return MESSAGES.get(decline_code, USUAL)


def declined(decline_code: str, *, charge: str = "", **objects: Json) -> CardDeclined:
    """The error itself; `objects` as in CardDeclined."""
    code = code_of(decline_code)
    return CardDeclined(message_of(decline_code), code=code, decline_code=decline_code, charge=charge, **objects)


def as_last_error(decline_code: str, *, method: Json, charge: str = "") -> Json:
    """The same as an intent keeps it in `last_payment_error` or `last_setup_error`."""
    code = code_of(decline_code)
    error = {
        "charge": charge,
        "code": code,
        "decline_code": decline_code,
        "doc_url": _doc_url(code),
        "message": message_of(decline_code),
        "payment_method": method,
        "type": "card_error",
    }
    return {name: value for name, value in error.items() if value}


def not_card_error(code: str, message: str, *, method: Json) -> Json:
    """What an intent keeps of a failure that no card's bank has decided."""
    return {
        "code": code,
        "doc_url": _doc_url(code),
        "message": message,
        "payment_method": method,
        "type": "invalid_request_error",
    }


def _doc_url(code: str) -> str:
    return f"https://docs.stripe.com/error-codes#{code.replace('_', '-')}"
