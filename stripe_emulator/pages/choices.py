"""The test methods that the buyer's page offers, and what happened to them, in plain words."""

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from stripe_emulator.errors import CardDeclined

OTHER = "other"
CARDS: tuple[tuple[str, Promise], ...] = (
    ("4242424242424242", _("The payment succeeds")),
    ("4000002500003155", _("The bank asks for 3-D Secure")),
    ("4000000000000002", _("The card is declined")),
    ("4000000000009995", _("There is not enough money in the account")),
    ("4000000000000069", _("The card has expired")),
    ("4000000000000259", _("The payment succeeds, then the buyer disputes it")),
)
PORTAL_CARDS: tuple[tuple[str, Promise], ...] = (
    ("4242424242424242", _("Payments succeed")),
    ("5555555555554444", _("Payments succeed")),
    ("4000000000000341", _("The card is kept, and every payment is declined")),
    ("4000000000000002", _("The card is declined")),
)
DEBITS: tuple[tuple[str, Promise], ...] = (
    ("FR1420041010050500013M02606", _("The debit succeeds after a while")),
    ("FR8420041010050500013M02607", _("The debit fails after a while")),
)
REASONS: dict[str, Promise] = {
    "authentication_required": _("The bank wants to be sure that it is you. Try again."),
    "card_velocity_exceeded": _("This card was used too often in a short time."),
    "expired_card": _("This card has expired. Use another card."),
    "incorrect_cvc": _("The security code of this card is wrong."),
    "insufficient_funds": _("There is not enough money in the account. Use another card."),
    "lost_card": _("The bank has declined this card. Use another card."),
    "payment_intent_authentication_failure": _(
        "The bank could not make sure that it is you. Try again or use another card."
    ),
    "processing_error": _("The bank could not process the payment. Try again in a moment."),
    "setup_intent_authentication_failure": _(
        "The bank could not make sure that it is you. Try again or use another card."
    ),
}
USUAL_REASON = _("The bank has declined this card. Use another card.")
COUNTRIES: tuple[tuple[str, Promise], ...] = (
    ("FR", _("France")),
    ("BE", _("Belgium")),
    ("CA", _("Canada")),
    ("CH", _("Switzerland")),
    ("DE", _("Germany")),
    ("ES", _("Spain")),
    ("GB", _("United Kingdom")),
    ("IT", _("Italy")),
    ("LU", _("Luxembourg")),
    ("US", _("United States")),
)


def method_choices(types: list[str]) -> list[tuple[str, str]]:
    """Number and words of every method that the session accepts."""
    offered = (CARDS if "card" in types else ()) + (DEBITS if "sepa_debit" in types else ())
    return [*((number, str(words)) for number, words in offered), (OTHER, gettext("Another test number"))]


def reason_of(decline: CardDeclined) -> str:
    """Why it did not work, and what the buyer can do."""
    return str(REASONS.get(decline.decline_code) or REASONS.get(decline.code) or USUAL_REASON)
