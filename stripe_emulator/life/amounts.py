"""What may be charged, and how amounts are written in Stripe's messages."""

from stripe_emulator.errors import StripeRefusal
from stripe_emulator.life.currencies import GREATEST_AMOUNT, exponent, known_currency, least_charge

SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£"}


def check_amount(amount: int, currency: str) -> str:
    """The currency in lower case, if this amount (minor units) of it can be charged. Raises StripeRefusal."""
    known = known_currency(currency)
    if amount < 1:
        message = "This value must be greater than or equal to 1."
        raise StripeRefusal(message, code="parameter_invalid_integer", param="amount")
    if amount < least_charge(known):
        message = f"Amount must be at least {money(least_charge(known), known)}"
        raise StripeRefusal(message, code="amount_too_small", param="amount")
    if amount > GREATEST_AMOUNT:
        message = f"Amount must be no more than {money(GREATEST_AMOUNT, known)}"
        raise StripeRefusal(message, code="amount_too_large", param="amount")
    return known


def money(amount: int, currency: str) -> str:
    """The amount (minor units) as text, for example "€5.00" or "500 jpy"."""
    decimals = exponent(currency)
    text = f"{amount / 10**decimals:,.{decimals}f}"
    return SYMBOLS[currency] + text if currency in SYMBOLS else f"{text} {currency}"
