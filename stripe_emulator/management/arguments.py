"""What the emulator's command understands on its command line."""

import re
from argparse import ArgumentTypeError

from django.utils.translation import gettext as _

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 24 * 3600}
DURATION = re.compile(r"(?:[0-9]{1,9}[smhd])+", re.ASCII)
SECRET = re.compile(r"whsec_[\x21-\x7e]+", re.ASCII)


def duration(text: str) -> int:
    """Seconds of "31d", "12h", "90m", "10s" or several of them together."""
    if not DURATION.fullmatch(text):
        raise ArgumentTypeError(_("“%s” is no duration: write 31d, 12h, 90m, 10s or 1d12h") % text)
    return sum(int(part[:-1]) * SECONDS[part[-1]] for part in re.findall(r"[0-9]+[smhd]", text))


def secret(text: str) -> str:
    """A webhook secret in the form of Stripe's."""
    if not SECRET.fullmatch(text):
        raise ArgumentTypeError(_("a secret begins with whsec_ and has no spaces"))
    return text


def event_types(text: str) -> list[str]:
    """Types of events between commas, or * for all."""
    types = [part.strip() for part in text.split(",")]
    if not all(types):
        raise ArgumentTypeError(_("write event types between commas, or *"))
    return types


def at_least_one(text: str) -> int:
    """A count."""
    if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII) or int(text) < 1:
        raise ArgumentTypeError(_("“%s” is no number from 1 up") % text)
    return int(text)


def not_negative(text: str) -> int:
    """A number that may be 0; what it means decides how great it may be."""
    if not re.fullmatch(r"[0-9]{1,18}", text, re.ASCII):
        raise ArgumentTypeError(_("“%s” is no number from 0 up") % text)
    return int(text)
