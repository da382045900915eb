"""From one colour of the shop to those of its buttons and links, by day and by night, all of them easy to read.

By WCAG 2.2: https://www.w3.org/TR/WCAG22/#contrast-minimum. The grounds are those of `public/site.css`.
"""

import re
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

WHITE, BLACK = "#ffffff", "#000000"
# The text of a button by night.
INK = "#0d1c2a"
# On which buttons and links stand: by day the darker of two, by night the lighter.
DAY_GROUND, NIGHT_GROUND = "#fbfcfd", "#161e27"
LEAST_CONTRAST = 4.5
# By night pale on dark; what is only just readable glares less, and is read worse.
NIGHT_CONTRAST = 7.0
HEX = re.compile(r"#[0-9a-f]{6}", re.ASCII)
STEPS = 20


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours as "#1d5c96". `strong`: the accent under the pointer; `on_accent`: the text on either."""

    accent: str
    strong: str
    on_accent: str


def by_day(accent: str) -> Palette:
    """As it was chosen, with white text on it."""
    return Palette(accent, mixed(accent, BLACK, share=0.25), WHITE)


def by_night(accent: str) -> Palette:
    """The same colour, so pale that dark text on it, and it on a dark page, are easy to read."""
    pale = _mixed_until(accent, WHITE, NIGHT_GROUND, least=NIGHT_CONTRAST)
    return Palette(pale, mixed(pale, WHITE, share=0.4), INK)


def check_accent(written: str) -> None:
    """Raise ValidationError where it is no colour, or nobody could read the text of a button."""
    colour = written.lower()
    if not HEX.fullmatch(colour):
        raise ValidationError(_("“%s” is no colour: write it as #1d5c96.") % written)
    contrast = min(contrast_of(colour, ground) for ground in (WHITE, DAY_GROUND))
    if contrast < LEAST_CONTRAST:
        told = {
            "colour": colour, "contrast": f"{contrast:.1f}", "least": f"{LEAST_CONTRAST}",
            "darker": _mixed_until(colour, BLACK, DAY_GROUND, least=LEAST_CONTRAST),
        }  # fmt: skip
        raise ValidationError(
            _("White text on %(colour)s is hard to read: its contrast is %(contrast)s, and %(least)s is the least. "
              "A darker one can be read: %(darker)s.") % told
        )  # fmt: skip


def style_sheet(accent: str) -> str:
    """The rules that put the accent into the public pages."""
    day, night = by_day(accent), by_night(accent)
    return f":root {{ {_rules(day)} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {_rules(night)} }} }}\n"


def _rules(palette: Palette) -> str:
    return f"--accent: {palette.accent}; --accent-strong: {palette.strong}; --on-accent: {palette.on_accent};"


def contrast_of(one: str, other: str) -> float:
    """From 1 (the same) to 21 (black on white)."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def mixed(colour: str, other: str, *, share: float) -> str:
    """The colour with this share of the other one, 0 to 1."""
    parts = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(one + (two - one) * share):02x}" for one, two in parts)


def _mixed_until(colour: str, other: str, ground: str, *, least: float) -> str:
    """With as little of the other one as it takes to be seen on the ground."""
    tried = (mixed(colour, other, share=step / STEPS) for step in range(STEPS + 1))
    return next((each for each in tried if contrast_of(each, ground) >= least), other)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    red, green, blue = (_linear(each / 255) for each in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)
