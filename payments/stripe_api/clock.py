"""How far our clock is from Stripe's, as the `Date` of its answers tells: by that clock it refuses sessions."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

# Older than that, what was learned says nothing about now.
MAX_AGE = timedelta(minutes=10)
# A `Date` has whole seconds, and an answer takes its time.
PRECISION = timedelta(seconds=2)
# From then on staff are told; each process says so once an hour.
FAR_OFF, TOLD_AGAIN_AFTER = timedelta(seconds=60), timedelta(hours=1)
LONG_AGO = datetime.min.replace(tzinfo=UTC)
Watch = Callable[[timedelta, datetime], None]
_watchers: list[Watch] = []


@dataclass(slots=True)
class _Learned:
    """By this process, from the last answer; a hint only: what Stripe refuses teaches it anew."""

    offset: timedelta = timedelta(0)
    at: datetime = LONG_AGO
    told_at: datetime = LONG_AGO


_learned = _Learned()


def watches_clock(watch: Watch) -> Watch:
    """Register what a higher room does about a clock that is far off: (how much later it is at Stripe, when seen)."""
    _watchers.append(watch)
    return watch


def learn(*, said_at: datetime, asked_at: datetime, heard_at: datetime) -> None:
    """Take in one answer: said by Stripe's clock, asked and heard by ours."""
    if said_at > heard_at + PRECISION:
        offset = said_at - heard_at
    elif said_at < asked_at - PRECISION:
        offset = said_at - asked_at
    else:
        offset = timedelta(0)
    _learned.offset, _learned.at = offset, heard_at
    notice(offset, at=heard_at)


def notice(offset: timedelta, *, at: datetime) -> None:
    """Tell the watchers where it is far off: by an answer of Stripe, or by the date of what it has signed.

    Of that date nothing is learned: a delivery may come late, or be a recording.
    """
    if abs(offset) <= FAR_OFF or abs(at - _learned.told_at) < TOLD_AGAIN_AFTER:
        return
    _learned.told_at = at
    for watch in _watchers:
        watch(offset, at)


def forget() -> None:
    """As in a new process."""
    _learned.offset, _learned.at, _learned.told_at = timedelta(0), LONG_AGO, LONG_AGO


def offset(*, at: datetime) -> timedelta:
    """How much later it is at Stripe than here; nothing where no answer of late has told. `at`: now, by our clock."""
    return _learned.offset if abs(at - _learned.at) <= MAX_AGE else timedelta(0)
