"""Amounts as people of either language write them."""

from decimal import Decimal

from django.utils.formats import number_format
from django.utils.translation import get_language

from stripe_emulator.life.currencies import exponent

SYMBOLS = {"eur": "€", "gbp": "£", "jpy": "¥", "usd": "$"}
NO_BREAK = "\u00a0"


def shown_amount(amount: int, currency: str) -> str:
    """Minor units as "€30.00" or, in French, "30,00 €"; rarer currencies by their code."""
    decimals = exponent(currency)
    number = number_format(Decimal(amount).scaleb(-decimals), decimals, use_l10n=True, force_grouping=True)
    symbol = SYMBOLS.get(currency, currency.upper())
    if (get_language() or "").startswith("fr"):
        return f"{number}{NO_BREAK}{symbol}"
    return f"{symbol}{number}" if currency in SYMBOLS else f"{symbol}{NO_BREAK}{number}"
