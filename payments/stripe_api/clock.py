"""How far our clock is from Stripe's, as the `Date` of its answers tells: by that clock it refuses sessions."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

# Older than that, what was learned says nothing about now.
MAX_AGE = timedelta(minutes=10)
# A `Date` has whole seconds, and an answer takes its time.
PRECISION = timedelta(seconds=2)
LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class _Learned:
    """By this process, from the last answer; a hint only: what Stripe refuses teaches it anew."""

    offset: timedelta = timedelta(0)
    at: datetime = LONG_AGO


_learned = _Learned()


def learn(*, said_at: datetime, asked_at: datetime, heard_at: datetime) -> None:
    """Take in one answer: said by Stripe's clock, asked and heard by ours."""
    if said_at > heard_at + PRECISION:
        offset = said_at - heard_at
    elif said_at < asked_at - PRECISION:
        offset = said_at - asked_at
    else:
        offset = timedelta(0)
    _learned.offset, _learned.at = offset, heard_at


def forget() -> None:
    """As in a new process."""
    _learned.offset, _learned.at = timedelta(0), LONG_AGO


def offset(*, at: datetime) -> timedelta:
    """How much later it is at Stripe than here; nothing where no answer of late has told. `at`: now, by our clock."""
    return _learned.offset if abs(at - _learned.at) <= MAX_AGE else timedelta(0)
