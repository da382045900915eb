"""Amounts as people write them, in the units in which money is counted."""

from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _

from payments.money import exponent

GREATEST = Decimal(10**12)


class NoAmount(ValueError):
    """What was written is no amount of money in this currency; the text says why."""


def minor_units(written: str | Decimal, currency: str) -> int:
    """ "12.50", "eur" → 1250; a comma is a point. Raises NoAmount unless it is more than nothing and can be paid."""
    try:
        amount = Decimal(str(written).strip().replace(",", "."))
    except InvalidOperation:
        raise NoAmount(_("“%s” is no amount.") % str(written)[:40]) from None
    if not (amount.is_finite() and 0 < amount <= GREATEST):
        raise NoAmount(_("The amount must be more than nothing."))
    units = amount.scaleb(exponent(currency))
    if units != units.to_integral_value():
        told = {"currency": currency.upper(), "count": exponent(currency)}
        raise NoAmount(_("An amount in %(currency)s has at most %(count)d decimals.") % told)
    return int(units)
