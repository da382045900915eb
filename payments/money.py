"""Amounts are integers in the currency's minor unit, as Stripe counts them; here they become words for people.

https://docs.stripe.com/currencies
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

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


def sum_of(amount: int, currency: str) -> dict[str, int | str]:
    """An amount as a value of a sentence that is stored now and read later, in the reader's language."""
    return {"amount": amount, "currency": currency}


def with_amounts(values: Mapping[str, Any]) -> dict[str, str]:
    """The values of such a sentence, each amount in words for people."""
    return {
        name: format_amount(value["amount"], value["currency"]) if isinstance(value, dict) else str(value)
        for name, value in values.items()
    }


def total_text(amounts: Iterable[tuple[int, str]]) -> str:
    """Amounts and their currencies in words: one sum for each currency, "49.00 EUR + 30.00 USD"; "" for nothing."""
    totals = Counter[str]()
    for amount, code in amounts:
        totals[code] += amount
    return " + ".join(format_amount(amount, code) for code, amount in sorted(totals.items()) if amount)


MAX_WRITTEN_AMOUNT = Decimal(10**12)


class NoAmount(ValueError):
    """What was written is no amount of money in this currency; the text says why."""


def minor_units(written: str | Decimal, currency: str) -> int:
    """ "12.50", "eur" → 1250; a comma is a point. Raises NoAmount unless it is more than nothing and can be paid."""
    try:
        amount = Decimal(str(written).strip().replace(",", "."))
    except InvalidOperation:
        raise NoAmount(_("“%s” is no amount.") % str(written)[:40]) from None
    if not (amount.is_finite() and 0 < amount <= MAX_WRITTEN_AMOUNT):
        raise NoAmount(_("The amount must be more than nothing."))
    units = amount.scaleb(exponent(currency))
    if units != units.to_integral_value():
        told = {"currency": currency.upper(), "count": exponent(currency)}
        raise NoAmount(_("An amount in %(currency)s has at most %(count)d decimals.") % told)
    return int(units)
