"""What several pages need: the answer 303, amounts, moments, intervals and states in words."""

import re
from copy import copy
from datetime import UTC, datetime
from decimal import Decimal

from babel import Locale
from django.http import HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import get_language, ngettext, to_locale
from django.utils.translation import gettext as _

from stripe_emulator.behaviour.amounts import exponent

NO_BREAK = "\u00a0"
MINUTE, HOUR, DAY = 60, 3600, 24 * 3600
GOOD_STATES = frozenset(["active", "complete", "delivered", "enabled", "paid", "succeeded", "trialing", "won"])
BAD_STATES = frozenset(["canceled", "dropped", "expired", "failed", "failing", "lost", "past_due", "stopped", "unpaid"])


class SeeOther(HttpResponseRedirect):
    """303: look there with a GET, whatever the method was."""

    status_code = 303


def localized_amount(amount: int | None, currency: str | None) -> str:
    """4900, "eur" → "€49.00" or, in French, "49,00 €"; "" where there is no amount."""
    if amount is None or not currency:
        return ""
    locale, decimals = Locale.parse(to_locale(get_language() or "en")), exponent(currency)
    pattern = copy(locale.currency_formats["standard"])
    pattern.frac_prec = (decimals, decimals)
    written = pattern.apply(Decimal(amount).scaleb(-decimals), locale, currency=currency.upper(), currency_digits=False)
    return re.sub("(?<=[A-Z])(?=[0-9])", NO_BREAK, str(written))


def interval_in_words(unit: str, count: int) -> str:
    """How often something is paid."""
    texts = {
        "day": ngettext("every day", "every %(count)s days", count),
        "week": ngettext("every week", "every %(count)s weeks", count),
        "month": ngettext("every month", "every %(count)s months", count),
        "year": ngettext("every year", "every %(count)s years", count),
    }
    return texts[unit] % {"count": count}


def minor_units(written: str, currency: str) -> int | None:
    """ "12.50" or "12,50" of "eur" → 1250; None for what is no amount of this currency."""
    plain = written.replace(",", ".").replace(" ", "").replace(NO_BREAK, "")
    decimals = exponent(currency)
    if not re.fullmatch(rf"[0-9]{{1,9}}(\.[0-9]{{1,{decimals}}})?" if decimals else "[0-9]{1,9}", plain, re.ASCII):
        return None
    return int(Decimal(plain).scaleb(decimals))


def local_datetime(unix: int | None) -> datetime | None:
    """Unix seconds as a moment of the server's time zone, for the template to write."""
    return None if unix is None else timezone.localtime(datetime.fromtimestamp(unix, tz=UTC))


def duration_in_words(seconds: int) -> str:
    """2 678 400 → "31 days"; the two largest of days, hours and minutes that are not nought."""
    days, hours, minutes = seconds // DAY, seconds % DAY // HOUR, seconds % HOUR // MINUTE
    words = [
        ngettext("%(count)d day", "%(count)d days", days) % {"count": days} if days else "",
        ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours} if hours else "",
        ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes} if minutes else "",
    ]
    return " ".join([word for word in words if word][:2]) or _("less than a minute")


def state_class(state: str) -> str:
    """The CSS class of a state: "good", "bad", or "open" for what can still become either."""
    return "good" if state in GOOD_STATES else "bad" if state in BAD_STATES else "open"
