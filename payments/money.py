"""Amounts, days and hours in words for people, on public pages as the reader's country writes them (config/reader.py).

Amounts are integers in the currency's minor unit, as Stripe counts them. In every template `date` and `time` take the
place of Django's filters (settings, "builtins"): "DATE_FORMAT" and "TIME_FORMAT" are written so, all else is Django's.

What Stripe charges, in which steps, from how little to how much: https://docs.stripe.com/currencies
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from copy import copy
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from babel import Locale
from babel.dates import format_date, format_time, get_timezone, get_timezone_location
from django import template
from django.conf import settings
from django.core.exceptions import ValidationError
from django.template import defaultfilters
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import get_language, to_locale
from django.utils.translation import gettext as _

from config.reader import written_as

register = template.Library()


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


ZERO_DECIMAL = _codes("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf")
# Their last digit must be 0: https://docs.stripe.com/currencies#three-decimal
THREE_DECIMAL = _codes("bhd jod kwd omr tnd")
# Counted in hundredths that must be 00: https://docs.stripe.com/currencies#special-cases
WHOLE = _codes("isk ugx")
TWO_DECIMAL = WHOLE | _codes(
    "aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny cop crc "
    "cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils inr jmd kes kgs khr kyd "
    "kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php "
    "pkr pln qar ron rsd rub sar sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs uah usd uyu uzs "
    "wst xcd xcg yer zar zmw"
)
CURRENCIES = ZERO_DECIMAL | TWO_DECIMAL | THREE_DECIMAL

# https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts, in minor units. Where Stripe names no least
# charge it converts into the currency of the bank account; nowhere is it less than this.
USUAL_LEAST_CHARGE = 50
LEAST_CHARGES = {
    "aed": 200, "bgn": 100, "czk": 1500, "dkk": 250, "gbp": 30, "hkd": 400, "huf": 17500, "mxn": 1000, "myr": 200,
    "nok": 300, "pln": 200, "ron": 200, "sek": 300, "thb": 1000,
}  # fmt: skip
USUAL_GREATEST_CHARGE = 10**8 - 1
GREATEST_CHARGES = {
    "cop": 10**10 - 1, "huf": 10**10 - 1, "idr": 10**12 - 1, "inr": 10**9 - 1, "jpy": 10**10 - 1, "lbp": 10**11 - 1,
}  # fmt: skip
NO_BREAK = "\N{NO-BREAK SPACE}"
# A currency without a sign of its own is written by its code: "CHF 49.00".
CODE_BEFORE_DIGITS = re.compile("(?<=[A-Z])(?=[0-9])")
WRITTEN = re.compile(r"[0-9]{1,30}(\.[0-9]{1,30})?", re.ASCII)


def exponent(currency: str) -> int:
    """With how many decimals Stripe counts the currency."""
    code = currency.lower()
    if code in ZERO_DECIMAL:
        return 0
    return 3 if code in THREE_DECIMAL else 2


def chargeable_decimals(currency: str) -> int:
    """With how many decimals an amount of the currency can be paid."""
    return 0 if currency.lower() in WHOLE else min(2, exponent(currency))


def least_charge(currency: str) -> int:
    """The smallest amount that Stripe charges, in minor units."""
    return LEAST_CHARGES.get(currency.lower(), USUAL_LEAST_CHARGE)


def greatest_charge(currency: str) -> int:
    """The greatest amount that Stripe charges, in minor units."""
    return GREATEST_CHARGES.get(currency.lower(), USUAL_GREATEST_CHARGE)


def to_decimal(amount: int, currency: str) -> Decimal:
    """4900, "eur" → Decimal("49.00"); exact."""
    return Decimal(amount).scaleb(-exponent(currency))


def format_amount(amount: int, currency: str) -> str:
    """4900, "eur" → "€49.00" in English, "49,00 €" in French, as Unicode's tables write it. It never breaks.

    On a public page as in the reader's country, where their browser names it.
    """
    # Where translations are off, as on the command line, texts are English.
    language = to_locale(get_language() or "en")
    named = written_as.get()
    locale = Locale.parse(named if named[:2] == language[:2] else language)
    pattern, decimals = copy(locale.currency_formats["standard"]), _shown(amount, currency)
    pattern.frac_prec = (decimals, decimals)
    written = pattern.apply(to_decimal(amount, currency), locale, currency=currency.upper(), currency_digits=False)
    return CODE_BEFORE_DIGITS.sub(NO_BREAK, str(written))


def with_amounts(values: Mapping[str, Any]) -> dict[str, str]:
    """The values of such a sentence, each amount in words for people."""
    return {
        name: format_amount(value["amount"], value["currency"]) if isinstance(value, dict) else str(value)
        for name, value in values.items()
    }


def written_amount(amount: int, currency: str) -> str:
    """4900, "eur" → "49.00": as it stands in a field of a form, and as `minor_units` reads it."""
    return f"{to_decimal(amount, currency):.{_shown(amount, currency)}f}"


def _shown(amount: int, currency: str) -> int:
    """The decimals that people see: none of a currency that has none but for Stripe."""
    is_whole = currency.lower() in WHOLE and to_decimal(amount, currency) % 1 == 0
    return 0 if is_whole else exponent(currency)


def total_text(amounts: Iterable[tuple[int, str]]) -> str:
    """Amounts and their currencies in words: one sum for each currency, "€49.00 + $30.00"; "" for nothing."""
    totals = Counter[str]()
    for amount, code in amounts:
        totals[code] += amount
    return " + ".join(format_amount(amount, code) for code, amount in sorted(totals.items()) if amount)


def day_in_words(moment: datetime) -> str:
    """ "December 1, 2026", "1 December 2026", "1 décembre 2026", in the site's time zone."""
    name = written_as.get()
    return format_date(localtime(moment), "long", locale=name) if name else date_format(localtime(moment))


def time_in_words(moment: datetime) -> str:
    """ "2:00 PM", "14:00", in the site's time zone; one word for the line break."""
    name, local = written_as.get(), localtime(moment)
    told = format_time(local, "short", locale=name) if name else date_format(local, "TIME_FORMAT")
    return told.replace(" ", NO_BREAK).replace("\N{NARROW NO-BREAK SPACE}", NO_BREAK)


def zone_in_words() -> str:
    """The city whose time it is: "Paris", "Londres"; the name of a zone that is no city's."""
    if "/" not in settings.TIME_ZONE:
        return settings.TIME_ZONE
    zone = get_timezone(settings.TIME_ZONE)
    return get_timezone_location(zone, locale=to_locale(get_language() or "en"), return_city=True)


@register.filter(expects_localtime=True, is_safe=False)
def date(value: Any, arg: str | None = None) -> str:
    """As Django's."""
    if arg == "DATE_FORMAT" and isinstance(value, datetime) and written_as.get():
        return day_in_words(value)
    return str(defaultfilters.date(value, arg))


@register.filter(expects_localtime=True, is_safe=False)
def time(value: Any, arg: str | None = None) -> str:
    """As Django's."""
    if arg == "TIME_FORMAT" and isinstance(value, datetime) and written_as.get():
        return time_in_words(value)
    return str(defaultfilters.time(value, arg))


@register.simple_tag
def whose_time() -> str:
    """Said once, below: an hour means nothing to who is elsewhere and does not know whose it is."""
    return _("All times are %(city)s time.") % {"city": zone_in_words()}


class Chargeable:
    """A model with a price that Stripe can charge, whoever writes it: a form, an import or a shell.

    `price_field`: the amount, in minor units of `currency`; 0 is free. An unknown currency is refused too.
    """

    price_field: ClassVar[str]
    currency: Any

    def clean(self) -> None:
        super().clean()  # type: ignore[misc]
        try:
            self.check_price()
        except NoAmount as error:
            raise ValidationError({self.price_field: str(error)}) from error

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Raises NoAmount."""
        written = kwargs.get("update_fields")
        if written is None or {self.price_field, "currency"}.intersection(written):
            self.check_price()
        super().save(*args, **kwargs)  # type: ignore[misc]

    def check_price(self) -> None:
        """Raises NoAmount where Stripe would not charge it."""
        amount = getattr(self, self.price_field)
        if self.currency.lower() not in CURRENCIES:
            raise NoAmount(_("“%s” is no currency in which Stripe charges.") % self.currency)
        if isinstance(amount, int):
            check_charge(amount, self.currency)


class NoAmount(ValueError):
    """What was written is no amount of money that can be paid in this currency; the text says why."""


def minor_units(written: str, currency: str, *, allows_nothing: bool = False) -> int:
    """ "1 234.50", "eur" → 123450; a comma is a point. Raises NoAmount for what cannot be paid; 0 only if allowed."""
    plain = "".join(written.split()).replace(",", ".")
    if not WRITTEN.fullmatch(plain):
        raise NoAmount(_("“%s” is no amount.") % written.strip()[:40])
    amount, decimals = Decimal(plain), chargeable_decimals(currency)
    if amount == 0 and not allows_nothing:
        raise NoAmount(_("The amount must be more than nothing."))
    if amount.scaleb(decimals) % 1:
        told = {"currency": currency.upper(), "count": decimals}
        raise NoAmount(_("An amount in %(currency)s has at most %(count)d decimals.") % told)
    return int(amount.scaleb(exponent(currency)))


def check_charge(amount: int, currency: str) -> None:
    """Raises NoAmount for a price (minor units) that Stripe would not charge; nothing at all is never charged."""
    least, greatest = least_charge(currency), greatest_charge(currency)
    if 0 < amount < least:
        raise NoAmount(_("Stripe takes no less than %s.") % format_amount(least, currency))
    if amount > greatest:
        raise NoAmount(_("Stripe takes no more than %s.") % format_amount(greatest, currency))
