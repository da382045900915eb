import re

import pytest
from django.core.exceptions import ValidationError

from accounts.shop import colours
from accounts.shop.colours import by_day, by_night, check_accent, contrast_of
from tests.architecture.trip import ROOT

SITE_CSS = (ROOT / "registrations/static/public/site.css").read_text()
# From the darkest to what is only just dark enough, all around the circle.
ACCENTS = ["#000000", "#1d5c96", "#8a3b12", "#0a6b3d", "#6b2fa0", "#b3261e", "#006064", "#4d4d4d", "#7a5c00"]


class TestPalettes:
    @pytest.mark.parametrize("accent", ACCENTS)
    def test_are_read_on_every_ground_by_day_and_by_night(self, accent):
        check_accent(accent)
        day, night = by_day(accent), by_night(accent)

        pairs = [
            (day.accent, day.on_accent), (day.strong, day.on_accent), (day.accent, colours.DAY_GROUND),
            (day.strong, "#edf0f4"), (night.accent, night.on_accent), (night.strong, night.on_accent),
            (night.accent, colours.NIGHT_GROUND), (night.strong, "#28323d"),
        ]  # fmt: skip
        assert [pair for pair in pairs if contrast_of(*pair) < colours.LEAST_CONTRAST] == []

    def test_stand_on_the_grounds_of_the_style_sheet(self):
        grounds = re.findall(r"--ground: (#\w+); --surface: (#\w+)", SITE_CSS)

        assert grounds[:2] == [(colours.DAY_GROUND, "#fff"), ("#10161d", colours.NIGHT_GROUND)]
        assert f"--on-accent: {colours.INK}" in SITE_CSS


class TestCheckAccent:
    def test_refuses_a_colour_on_which_nobody_can_read_and_names_one_that_can_be(self):
        with pytest.raises(ValidationError) as refused:
            check_accent("#FFCC00")

        [told] = refused.value.messages
        assert told.startswith("White text on #ffcc00 is hard to read: its contrast is 1.5, and 4.5 is the least.")
        check_accent(told.rstrip(".").rsplit(" ", 1)[1])

    @pytest.mark.parametrize("written", ["red", "#fff", "#12345g", "#1234567", "url(x)"])
    def test_takes_nothing_but_six_digits(self, written):
        with pytest.raises(ValidationError, match="is no colour"):
            check_accent(written)
