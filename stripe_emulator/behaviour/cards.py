"""Stripe's test cards and bank accounts, and why cards are declined: https://docs.stripe.com/testing"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from stripe_emulator.errors import CardDeclined, Json, NoSuchObject, StripeRefusal

PREFIXES = ("pm_card_", "tok_", "pm_")
BRAND_PREFIXES = ("visa_", "mastercard_")
USUAL_DELAY, LONG_DELAY = 60, 180  # seconds until a debit settles


@dataclass(frozen=True, slots=True)
class TestMethod:
    """A way to pay whose outcome is known. `name` is the alias without its prefix, such as "visa".

    `type`: "card", or "sepa_debit" whose `number` is an IBAN. `disputes`: the reason of the dispute that each payment
    brings, "" for none. `settles`: whether a debit goes through; None for methods that know at once.
    `warns`: its network suspects each payment of fraud.
    `refunds`: "" at once, "pending" a little later, "failed" some time after they have succeeded.
    `is_reusable`: authenticated once, it pays off session without a question.
    """

    __test__: ClassVar[bool] = False  # pytest takes every class called Test… for a group of tests

    name: str
    number: str
    brand: str = "visa"
    country: str = "US"
    funding: str = "credit"
    type: str = "card"
    decline_code: str = ""
    decline_at_attach: bool = False
    needs_authentication: bool = False
    is_reusable: bool = False
    disputes: str = ""
    warns: bool = False
    refunds: str = ""
    settles: bool | None = None
    settles_after: int = USUAL_DELAY


def find_by_alias(alias: str) -> TestMethod:
    """The method behind "pm_card_visa", "tok_visa", "pm_card_visa_chargeDeclined", … Raises StripeRefusal."""
    for name in _names(alias):
        if name in BY_NAME:
            return BY_NAME[name]
    if alias.startswith("tok_"):
        raise NoSuchObject("token", alias, param="token")
    raise NoSuchObject("PaymentMethod", alias, param="payment_method")


def find_by_number(number: str) -> TestMethod:
    """The card with this number; blanks and dashes do not matter. Raises StripeRefusal."""
    digits = number.replace(" ", "").replace("-", "")
    found = BY_NUMBER.get(digits)
    if found is None or found.type != "card":
        message = "Your card number is incorrect."
        raise StripeRefusal(message, code="incorrect_number", param="number", status=402, type="card_error")
    return found


def find_by_iban(iban: str) -> TestMethod:
    """The account with this IBAN; blanks do not matter. Raises StripeRefusal."""
    found = BY_NUMBER.get(iban.replace(" ", "").upper())
    if found is None or found.type != "sepa_debit":
        message = "The IBAN you provided is invalid."
        raise StripeRefusal(message, code="invalid_bank_account_iban", param="sepa_debit[iban]")
    return found


def _names(alias: str) -> Iterator[str]:
    """What an alias may mean: with its brand ("visa_debit") or without ("visa_chargeDeclined")."""
    prefix = next((prefix for prefix in PREFIXES if alias.startswith(prefix)), None)
    if prefix is None:
        return
    name = alias.removeprefix(prefix)
    yield name
    for brand in BRAND_PREFIXES:
        if name.startswith(brand):
            yield name.removeprefix(brand)


def _declining(name: str, number: str, decline_code: str) -> TestMethod:
    return TestMethod(name, number, decline_code=decline_code, decline_at_attach=True)


def _debit(outcome: str, iban: str, *, settles: bool, after: int = USUAL_DELAY) -> TestMethod:
    name = f"{outcome}_{iban[:2].lower()}"
    return TestMethod(name, iban, country=iban[:2], type="sepa_debit", settles=settles, settles_after=after)


SUCCEEDING = (
    TestMethod("visa", "4242424242424242"),
    TestMethod("visa_debit", "4000056655665556", funding="debit"),
    TestMethod("mastercard", "5555555555554444", brand="mastercard"),
    TestMethod("mastercard_debit", "5200828282828210", brand="mastercard", funding="debit"),
    TestMethod("mastercard_prepaid", "5105105105105100", brand="mastercard", funding="prepaid"),
    TestMethod("amex", "378282246310005", brand="amex"),
    TestMethod("discover", "6011111111111117", brand="discover"),
    TestMethod("diners", "3056930009020004", brand="diners"),
    TestMethod("jcb", "3566002020360505", brand="jcb"),
    TestMethod("unionpay", "6200000000000005", brand="unionpay"),
    TestMethod("fr", "4000002500000003", country="FR"),
    TestMethod("de", "4000002760000016", country="DE"),
    TestMethod("bypassPending", "4000000000000077"),
)
DECLINING = (
    _declining("chargeDeclined", "4000000000000002", "generic_decline"),
    _declining("chargeDeclinedInsufficientFunds", "4000000000009995", "insufficient_funds"),
    _declining("chargeDeclinedLostCard", "4000000000009987", "lost_card"),
    _declining("chargeDeclinedStolenCard", "4000000000009979", "stolen_card"),
    _declining("chargeDeclinedExpiredCard", "4000000000000069", "expired_card"),
    _declining("chargeDeclinedIncorrectCvc", "4000000000000127", "incorrect_cvc"),
    _declining("chargeDeclinedProcessingError", "4000000000000119", "processing_error"),
    _declining("chargeDeclinedVelocityLimitExceeded", "4000000000006975", "card_velocity_exceeded"),
    _declining("chargeDeclinedFraudulent", "4100000000000019", "fraudulent"),
    TestMethod("chargeCustomerFail", "4000000000000341", decline_code="generic_decline"),
)
REQUIRING_AUTHENTICATION = (
    TestMethod("authenticationRequiredOnSetup", "4000002500003155", needs_authentication=True, is_reusable=True),
    TestMethod("authenticationRequired", "4000002760003184", needs_authentication=True),
    TestMethod("threeDSecure2Required", "4000000000003220", needs_authentication=True),
    TestMethod(
        "authenticationRequiredChargeDeclinedInsufficientFunds",
        "4000008260003178",
        decline_code="insufficient_funds",
        needs_authentication=True,
    ),
)
WITH_AFTERMATH = (
    TestMethod("createDispute", "4000000000000259", disputes="fraudulent"),
    TestMethod("createDisputeProductNotReceived", "4000000000002685", disputes="product_not_received"),
    TestMethod("createDisputeInquiry", "4000000000001976", disputes="inquiry"),
    TestMethod("createIssuerFraudRecord", "4000000000005423", warns=True),
    TestMethod("pendingRefund", "4000000000007726", refunds="pending"),
    TestMethod("refundFail", "4000000000005126", refunds="failed"),
)
DEBITS = (
    _debit("success", "AT611904300234573201", settles=True),
    _debit("successDelayed", "AT321904300235473204", settles=True, after=LONG_DELAY),
    _debit("failed", "AT861904300235473202", settles=False),
    replace(_debit("disputed", "AT591904300235473203", settles=True), disputes="debit_not_authorized"),
    _debit("success", "DE89370400440532013000", settles=True),
    _debit("failed", "DE62370400440532013001", settles=False),
    _debit("success", "FR1420041010050500013M02606", settles=True),
    _debit("failed", "FR8420041010050500013M02607", settles=False),
    _debit("success", "IT40S0542811101000000123456", settles=True),
    _debit("failed", "IT60X0542811101000000123456", settles=False),
)
# The name of the card that 3-D Secure's own documentation uses.
ALIASES = {
    "threeDSecureRequired": "threeDSecure2Required",
    "authenticationRequiredSetupForOffSession": "authenticationRequiredOnSetup",
}

ALL_METHODS = (*SUCCEEDING, *DECLINING, *REQUIRING_AUTHENTICATION, *WITH_AFTERMATH, *DEBITS)
BY_NUMBER = {method.number: method for method in ALL_METHODS}
BY_NAME = {method.name: method for method in ALL_METHODS}
BY_NAME |= {alias: BY_NAME[name] for alias, name in ALIASES.items()}


USUAL_MESSAGE = "Your card was declined."
DECLINE_MESSAGES = {
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


def error_code(decline_code: str) -> str:
    """The code of the error that this decline brings."""
    return decline_code if decline_code in OWN_CODES else "card_declined"


def decline_message(decline_code: str) -> str:
    """What the buyer may be told."""
    return DECLINE_MESSAGES.get(decline_code, USUAL_MESSAGE)


def card_declined(decline_code: str, *, charge: str = "", **objects: Json) -> CardDeclined:
    """The error itself; `objects` as in CardDeclined."""
    code = error_code(decline_code)
    return CardDeclined(decline_message(decline_code), code=code, decline_code=decline_code, charge=charge, **objects)


def last_card_error(decline_code: str, *, method: Json, charge: str = "") -> Json:
    """A decline as an intent keeps it in `last_payment_error` or `last_setup_error`."""
    code = error_code(decline_code)
    error = {
        "charge": charge,
        "code": code,
        "decline_code": decline_code,
        "doc_url": _doc_url(code),
        "message": decline_message(decline_code),
        "payment_method": method,
        "type": "card_error",
    }
    return {name: value for name, value in error.items() if value}


def last_invalid_request_error(code: str, message: str, *, method: Json) -> Json:
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
