"""Stripe's list of events, read from the oldest on: slice by slice of time, since each list begins with the newest.

https://docs.stripe.com/api/events/list
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from payments.handlers.registry import handled_types
from payments.ledger.models import PaymentEvent
from payments.stripe_api.gateway import MAX_PAGE_SIZE
from payments.stripe_api.lookups import ThrottledStripe
from payments.stripe_api.snapshots import Json

# Stripe's own limits: https://docs.stripe.com/api/events/list
LISTED_FOR = timedelta(days=30)
MAX_TYPES = 20
# So long a slice is at first, in seconds; where much has happened it is made shorter.
FIRST_SPAN = 2 * 3600
# Of one slice and group of types: more events than these pages hold wait for a shorter slice, not in memory.
MAX_PAGES = 10


class BudgetSpent(RuntimeError):
    """The run has asked as often as it may."""


@dataclass(frozen=True, slots=True)
class Slice:
    """What Stripe lists of the time until `until`: how many, and those that are not here, the oldest first."""

    until: datetime
    seen: int
    missing: list[Json]


@dataclass(slots=True)
class _Reading:
    """One slice as it is being read. `crowded_from`: only from this second on it was read, for there was too much."""

    seen: int = 0
    pages: int = 0
    missing: list[Json] = field(default_factory=list)
    crowded_from: int | None = None


@dataclass(slots=True)
class EventWalk:
    """One run's way through the list. `requests` counts the questions; at `budget` it ends with BudgetSpent."""

    stripe: ThrottledStripe
    budget: int
    requests: int = 0

    def slices(self, *, since: datetime, until: datetime) -> Iterator[Slice]:
        """One after the other. Raises BudgetSpent, GatewayUnavailable and GatewayRefused: go on from the last slice.

        The last one has no end: what a test clock has dated later is here as well.
        """
        begin, last, span = int(since.timestamp()), int(until.timestamp()) + 1, FIRST_SPAN
        while begin < last:
            end = min(begin + span, last)
            reading = self._read(begin, end, is_last=end == last)
            if reading.crowded_from is not None:
                # So long a time has filled the pages; a little less of it leaves room for a denser one.
                span = max(1, min(end - begin, end - reading.crowded_from) * 3 // 4)
                continue
            missing = sorted(reversed(reading.missing), key=lambda raw: raw["created"])
            yield Slice(min(until, datetime.fromtimestamp(end, tz=UTC)), reading.seen, missing)
            begin = end
            # Nobody has asked for a second page: the next may be longer.
            span *= 2 if reading.pages <= len(_groups()) else 1

    def _read(self, begin: int, end: int, *, is_last: bool) -> _Reading:
        reading = _Reading()
        created = {"gte": begin} if is_last else {"gte": begin, "lt": end}
        for types in _groups():
            self._read_group({"types": types, "created": created}, reading, is_one_second=end - begin <= 1)
            if reading.crowded_from is not None:
                break
        return reading

    def _read_group(self, params: Json, reading: _Reading, *, is_one_second: bool) -> None:
        pages = self.stripe.pages("events", params)
        for number in count(1):
            page = self._ask(pages)
            reading.seen += len(page)
            reading.pages += 1
            reading.missing += _not_here(page)
            if len(page) < MAX_PAGE_SIZE:
                return
            if number >= MAX_PAGES and not is_one_second:
                reading.crowded_from = page[-1]["created"]
                return

    def _ask(self, pages: Iterator[list[Json]]) -> list[Json]:
        if self.requests >= self.budget:
            raise BudgetSpent
        self.requests += 1
        return next(pages, [])


def _groups() -> list[list[str]]:
    types = handled_types()
    return [types[first : first + MAX_TYPES] for first in range(0, len(types), MAX_TYPES)]


def _not_here(page: Sequence[Json]) -> list[Json]:
    ids = [raw["id"] for raw in page]
    here = set(PaymentEvent.objects.filter(stripe_event_id__in=ids).values_list("stripe_event_id", flat=True))
    return [raw for raw in page if raw["id"] not in here]
