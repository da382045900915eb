"""Billing periods in calendar months and years."""

from datetime import UTC, datetime

import pytest

from stripe_emulator.behaviour.subscription_items import period_end


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def ends(anchor: str, interval: str, *, number: int, count: int = 1) -> list[str]:
    """The ends of the first so many periods."""
    found, start = [], at(anchor)
    for _ in range(number):
        start = period_end(at(anchor), {"interval": interval, "interval_count": count}, start=start)
        found.append(datetime.fromtimestamp(start, tz=UTC).isoformat()[:16])
    return found


class TestPeriodEnd:
    def test_keeps_the_day_of_the_anchor_after_a_short_month(self):
        assert ends("2026-01-31T10:30", "month", number=3) == [
            "2026-02-28T10:30",
            "2026-03-31T10:30",
            "2026-04-30T10:30",
        ]

    def test_knows_leap_years(self):
        assert ends("2028-01-31T10:30", "month", number=1) == ["2028-02-29T10:30"]
        assert ends("2028-02-29T00:00", "year", number=4) == [
            "2029-02-28T00:00",
            "2030-02-28T00:00",
            "2031-02-28T00:00",
            "2032-02-29T00:00",
        ]

    def test_crosses_the_end_of_a_year(self):
        assert ends("2026-11-30T00:00", "month", number=4, count=2)[:3] == [
            "2027-01-30T00:00",
            "2027-03-30T00:00",
            "2027-05-30T00:00",
        ]

    @pytest.mark.parametrize(("interval", "end"), [("day", "2026-01-03T00:00"), ("week", "2026-01-15T00:00")])
    def test_counts_several_days_and_weeks(self, interval, end):
        assert ends("2026-01-01T00:00", interval, number=1, count=2) == [end]

    def test_is_the_first_boundary_after_a_start_between_two(self):
        end = period_end(
            at("2026-01-31T00:00"), {"interval": "month", "interval_count": 1}, start=at("2027-03-05T00:00")
        )

        assert end == at("2027-03-31T00:00")

    def test_of_what_begins_before_its_anchor_is_the_anchor(self):
        end = period_end(
            at("2026-02-10T00:00"), {"interval": "month", "interval_count": 1}, start=at("2026-02-03T00:00")
        )

        assert end == at("2026-02-10T00:00")
