"""How the console says things: amounts, moments, spans of time, and whether a state is good news."""

import re
from datetime import UTC, datetime
from decimal import Decimal

from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from stripe_emulator.life.currencies import exponent

MINUTE, HOUR, DAY = 60, 3600, 24 * 3600

GOOD = frozenset(["active", "complete", "delivered", "enabled", "paid", "succeeded", "trialing", "won"])
BAD = frozenset(["canceled", "dropped", "expired", "failed", "failing", "lost", "past_due", "stopped", "unpaid"])


def amount(minor: int | None, currency: str | None) -> str:
    """4900, "eur" → "49.00 EUR", in the language of the reader; "" where there is no amount."""
    if minor is None or not currency:
        return ""
    decimals = exponent(currency)
    digits = number_format(Decimal(minor).scaleb(-decimals), decimal_pos=decimals, force_grouping=True)
    return f"{digits}\N{NO-BREAK SPACE}{currency.upper()}"


def minor(written: str, currency: str) -> int | None:
    """ "12.50" or "12,50" of "eur" → 1250; None for what is no amount of this currency."""
    plain = written.replace(",", ".").replace(" ", "").replace("\N{NO-BREAK SPACE}", "")
    decimals = exponent(currency)
    if not re.fullmatch(rf"[0-9]{{1,9}}(\.[0-9]{{1,{decimals}}})?" if decimals else "[0-9]{1,9}", plain, re.ASCII):
        return None
    return int(Decimal(plain).scaleb(decimals))


def moment(unix: int | None) -> datetime | None:
    """Unix seconds as a moment of the server's time zone, for the template to write."""
    return None if unix is None else timezone.localtime(datetime.fromtimestamp(unix, tz=UTC))


def span(seconds: int) -> str:
    """2 678 400 → "31 days"; the two largest of days, hours and minutes that are not nought."""
    days, hours, minutes = seconds // DAY, seconds % DAY // HOUR, seconds % HOUR // MINUTE
    words = [
        ngettext("%(count)d day", "%(count)d days", days) % {"count": days} if days else "",
        ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours} if hours else "",
        ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes} if minutes else "",
    ]
    return " ".join([word for word in words if word][:2]) or _("less than a minute")


def tone(state: str) -> str:
    """The CSS class of a state: "good", "bad", or "open" for what can still become either."""
    return "good" if state in GOOD else "bad" if state in BAD else "open"
