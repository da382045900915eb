"""In which country somebody reads a public page, as their browser says: amounts, days and hours are written as there.

The language of the page decides first: "fr-CH" counts on a French page, and says nothing on an English one. Staff,
mails, programs and whoever's browser names no country read the site's own way of writing.
"""

from contextvars import ContextVar
from datetime import datetime

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time, get_timezone, get_timezone_location
from django.conf import settings
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import get_language, to_locale
from django.utils.translation.trans_real import parse_accept_lang_header

NO_BREAK = "\N{NO-BREAK SPACE}"
# "fr_CH", or "" where only the language is known.
written_as: ContextVar[str] = ContextVar("written_as", default="")


def locale_named(header: str, *, language: str) -> str:
    """The first of the browser's languages that is the page's own and names a country: "en_GB"; "" if none does."""
    for tag, _weight in parse_accept_lang_header(header.lower()):
        own, _dash, country = tag.partition("-")
        if own == language[:2] and len(country) == 2 and _is_known(name := f"{own}_{country.upper()}"):
            return name
    return ""


def _is_known(name: str) -> bool:
    try:
        return bool(Locale.parse(name))
    except (UnknownLocaleError, ValueError):
        return False


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
