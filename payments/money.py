"""Amounts are integers in the currency's minor unit, as Stripe counts them; here they become words for people.

https://docs.stripe.com/currencies
"""

from decimal import Decimal

from django.utils.formats import number_format

ZERO_DECIMAL = frozenset(
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"]
)
THREE_DECIMAL = frozenset(["bhd", "jod", "kwd", "omr", "tnd"])


def exponent(currency: str) -> int:
    """How many decimals the currency has at Stripe (ISK and UGX keep two, always `00`)."""
    code = currency.lower()
    if code in ZERO_DECIMAL:
        return 0
    return 3 if code in THREE_DECIMAL else 2


def to_decimal(amount: int, currency: str) -> Decimal:
    """4900, "eur" → Decimal("49.00"); exact."""
    return Decimal(amount).scaleb(-exponent(currency))


def format_amount(amount: int, currency: str) -> str:
    """4900, "eur" → "49.00 EUR" in English, "49,00 EUR" in French. The number never breaks from its currency."""
    digits = number_format(to_decimal(amount, currency), decimal_pos=exponent(currency), force_grouping=True)
    return f"{digits}\N{NO-BREAK SPACE}{currency.upper()}"
