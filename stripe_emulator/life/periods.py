"""Billing periods: calendar months and years from an anchor: https://docs.stripe.com/billing/subscriptions/billing-cycle"""

import calendar
from datetime import UTC, datetime

from stripe_emulator.errors import Json

DAY = 24 * 3600
LONGEST = {"day": DAY, "week": 7 * DAY, "month": 31 * DAY, "year": 366 * DAY}
MONTHS = {"month": 1, "year": 12}


def period_end(anchor: int, recurring: Json, *, start: int) -> int:
    """The end of the period that starts then: the first boundary after it. All are Unix seconds.

    Boundaries lie whole intervals of `recurring` (a price's) from the anchor. The anchor itself is one.
    """
    interval, count = recurring["interval"], recurring["interval_count"]
    passed = max(0, (start - anchor) // (LONGEST[interval] * count))
    while (boundary := _boundary(anchor, interval, count * passed)) <= start:
        passed += 1
    return boundary


def _boundary(anchor: int, interval: str, number: int) -> int:
    """So many intervals after the anchor."""
    if interval in MONTHS:
        return _months_later(anchor, MONTHS[interval] * number)
    return anchor + LONGEST[interval] * number


def _months_later(anchor: int, months: int) -> int:
    """The same day and time of a later month, or the last day of a month that is too short."""
    day = datetime.fromtimestamp(anchor, tz=UTC)
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    last = calendar.monthrange(year, month)[1]
    return int(day.replace(year=year, month=month, day=min(day.day, last)).timestamp())
