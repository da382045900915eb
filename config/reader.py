"""In which country somebody reads a public page, as their browser says: amounts, days and hours are written as there.

The language of the page decides first: "fr-CH" counts on a French page, and says nothing on an English one. Staff,
mails, programs and whoever's browser names no country read the site's own way of writing.
"""

from contextvars import ContextVar

from babel import Locale, UnknownLocaleError
from django.utils.translation.trans_real import parse_accept_lang_header

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
