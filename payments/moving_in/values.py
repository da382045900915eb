"""What may stand in a column, and how it is read: text in, one of our values out, or a sentence that says why not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.template.defaultfilters import slugify

from accounts.fields import normal_address, validate_address
from payments.money import CURRENCIES
from payments.statuses import OrderStatus

MAX_ID, MAX_NAME = 200, 200
# What no text of ours may contain: PostgreSQL stores neither.
UNSTORABLE = frozenset(["\0", *map(chr, range(0xD800, 0xE000))])
YES, NO = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")
# The biggest that the smallest column of ours holds.
GREATEST_NUMBER = 2**31 - 1
# How other systems call where an order stands.
STATUS_WORDS: Mapping[str, OrderStatus] = {
    **dict.fromkeys(("pending", "open", "created", "unpaid"), OrderStatus.PENDING),
    **dict.fromkeys(("action_required", "requires_action"), OrderStatus.ACTION_REQUIRED),
    "processing": OrderStatus.PROCESSING,
    **dict.fromkeys(("failed", "payment_failed"), OrderStatus.FAILED),
    "expired": OrderStatus.EXPIRED,
    **dict.fromkeys(("canceled", "cancelled"), OrderStatus.CANCELED),
    **dict.fromkeys(("paid", "completed", "complete", "succeeded", "confirmed"), OrderStatus.PAID),
    "refunded": OrderStatus.REFUNDED,
}


class Unreadable(ValueError):
    """The text is none that may stand there; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a file. `read` raises Unreadable; `fallback`: what an empty cell means, if it may be empty.

    `is_unique`: what stands in it stands nowhere else in the file.
    """

    name: str
    read: Callable[[str], Any]
    is_needed: bool = True
    is_unique: bool = False
    fallback: Any = None


def optional(name: str, read: Callable[[str], Any], *, fallback: Any = None, is_unique: bool = False) -> Column:
    """A column that may be left out, or be empty."""
    return Column(name, read, is_needed=False, is_unique=is_unique, fallback=fallback)


def text(most: int = MAX_NAME) -> Callable[[str], str]:
    """Any text of at most so many characters."""

    def read(given: str) -> str:
        if len(given) > most:
            raise Unreadable(f"it has {len(given)} characters, {most} at most")
        return given

    return read


# Without what would make names of it that differ by what nobody sees.
old_id = text(MAX_ID)


def address(given: str) -> str:
    """An e-mail address, in its one spelling."""
    found = normal_address(given)
    try:
        validate_address(found)
    except ValidationError:
        raise Unreadable(f"{given!r} is no e-mail address") from None
    return found


def moment(given: str) -> datetime:
    """ISO 8601, as databases write it; without an offset it is UTC."""
    try:
        found = datetime.fromisoformat(given)
    except ValueError:
        raise Unreadable(f"{given!r} is no moment such as 2026-03-02T12:00:00Z") from None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    if not datetime(2000, 1, 1, tzinfo=UTC) <= found < datetime(2100, 1, 1, tzinfo=UTC):
        raise Unreadable(f"{given!r} does not lie between 2000 and 2100")
    return found.astimezone(UTC)


def number(given: str) -> int:
    """A whole number from 0 up."""
    if not (given.isascii() and given.isdecimal()):
        raise Unreadable(f"{given!r} is no whole number")
    if int(given) > GREATEST_NUMBER:
        raise Unreadable(f"{given} is more than {GREATEST_NUMBER}")
    return int(given)


def amount(given: str) -> int:
    """In the smallest unit of the currency, as Stripe counts."""
    try:
        return number(given)
    except Unreadable as why:
        raise Unreadable(f"{why}: amounts are in the smallest unit, 4900 for 49.00 euros") from None


def currency(given: str) -> str:
    """Three letters."""
    if given.lower() not in CURRENCIES:
        raise Unreadable(f"{given!r} is no currency that Stripe charges")
    return given.lower()


def yes_or_no(given: str) -> bool:
    """In any of the words that databases have for it."""
    if given.lower() not in (*YES, *NO):
        raise Unreadable(f"{given!r} is neither true nor false")
    return given.lower() in YES


def one_of(words: Mapping[str, Any]) -> Callable[[str], Any]:
    """One of these words, in any case."""

    def read(given: str) -> Any:
        if given.lower() not in words:
            raise Unreadable(f"{given!r} is none of {', '.join(words)}")
        return words[given.lower()]

    return read


status = one_of(STATUS_WORDS)


def slug(given: str) -> str:
    """What may stand in an address of ours as it is."""
    if given != slugify(given) or len(given) > 50:
        raise Unreadable(f"{given!r} is no address: small letters, digits and hyphens, 50 at most")
    return given


def web_address(given: str) -> str:
    """Where a module lives."""
    try:
        URLValidator(schemes=["http", "https"])(given)
    except ValidationError:
        raise Unreadable(f"{given!r} is no web address") from None
    return text(500)(given)


def stripe_name(prefix: str) -> Callable[[str], str]:
    """An id that Stripe gave, which begins so."""

    def read(given: str) -> str:
        if not given.startswith(prefix) or not given.isascii() or " " in given:
            raise Unreadable(f"{given!r} does not begin with {prefix}")
        return text(255)(given)

    return read
