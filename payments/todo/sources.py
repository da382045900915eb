"""What needs a person. Each source is a small registered function; what products add stands in their `Product`."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Model, QuerySet
from django.utils import timezone

from payments.products import Label, all_products
from payments.sql import capped_counts

# So many of each source are read, the most pressing first, and so many of all are shown.
ROWS_READ, ITEMS_SHOWN = 200, 50
COUNTED_AT_MOST = 999
# What must be answered within this time comes before everything else.
PRESSING = timedelta(days=3)
# The source of what the exception desk asks.
DESK = "question"
Rows = QuerySet[Any] | Sequence[Any]
Told = Callable[..., "Iterable[TodoItem]"]


@dataclass(frozen=True, slots=True)
class Page:
    """A page to which a button leads, where what heals is no action of a list. `permission`: the right it needs."""

    address: str
    words: Label
    permission: str


@dataclass(frozen=True, slots=True)
class TodoItem:
    """One thing that needs a person, in one sentence. `row`: whose page tells more.

    `amount` in minor units of `currency` ("": it is about no money). `due`: until when. `acts`: what most likely heals
    it, the likeliest first: an action of the row's screen by its name, or a page.
    """

    sentence: str
    since: datetime
    row: Model | None = None
    amount: int = 0
    currency: str = ""
    due: datetime | None = None
    acts: tuple[str | Page, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of thing that needs a person.

    `rows`: all of them at that moment, the most pressing first, found by an index. `tell`: what is said of some of
    them. `tells_of`: the screens ("payments.order") that somebody must be allowed to see. `listed_at`: the name and
    query of the list that has them all. `claims`: the kinds of questions that it tells instead of the desk's source.
    """

    name: str
    title: Label
    rows: Callable[[datetime], Rows]
    tell: Told
    tells_of: tuple[str, ...]
    listed_at: tuple[str, str] = ("", "")
    claims: frozenset[str] = frozenset()


_sources: dict[str, Source] = {}


class ToldTwice(RuntimeError):
    """Two sources have the same name."""


def needs_a_person(name: str, **options: Any) -> Callable[[Told], Told]:
    """Register the decorated function, `(rows, *, at) -> items`, as what tells of a source; `options` as of Source."""

    def register(tell: Told) -> Told:
        if name in _sources:
            raise ToldTwice(name)
        _sources[name] = Source(name, tell=tell, **options)
        return tell

    return register


def all_sources() -> Iterator[Source]:
    """Those of payments and those of the products."""
    yield from _sources.values()
    for product in all_products():
        yield from product.needs_a_person()


@dataclass(frozen=True, slots=True)
class Todo:
    """`items`: what comes first; `counts`: how many there are of each source, none beyond COUNTED_AT_MOST."""

    items: list[TodoItem] = field(default_factory=list)
    counts: list[tuple[Source, int]] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many there are in all."""
        return sum(count for _source, count in self.counts)

    @property
    def more(self) -> int:
        """How many are not shown."""
        return max(0, self.total - len(self.items))


def waiting_rows(may_see: Callable[[str], bool], *, at: datetime) -> list[tuple[Source, Rows]]:
    """Each source that this person may see with its rows, none of which are told by two."""
    sources = [source for source in all_sources() if all(map(may_see, source.tells_of))]
    claimed = {kind for source in sources for kind in source.claims}
    return [(source, _unclaimed(source, claimed, at=at)) for source in sources]


def count_todo(may_see: Callable[[str], bool], *, at: datetime) -> list[tuple[Source, int]]:
    """Each of these sources with how many there are (COUNTED_AT_MOST + 1: more). One query."""
    found = waiting_rows(may_see, at=at)
    sets = [rows for _source, rows in found if isinstance(rows, QuerySet)]
    counts = iter(capped_counts(sets, most=COUNTED_AT_MOST + 1))
    return [(source, next(counts) if isinstance(rows, QuerySet) else len(rows)) for source, rows in found]


def find_todo(counts: Collection[tuple[Source, int]], *, at: datetime) -> Todo:
    """What needs a person, in order; `counts` as of `count_todo`: what has no rows is not asked."""
    claimed = {kind for source, _count in counts for kind in source.claims}
    items: list[TodoItem] = []
    for source, count in counts:
        if count:
            items += source.tell(list(_unclaimed(source, claimed, at=at)[:ROWS_READ]), at=at)
    return Todo(in_order(items, at=at)[:ITEMS_SHOWN], [pair for pair in counts if pair[1]])


def _unclaimed(source: Source, claimed: Collection[str], *, at: datetime) -> Rows:
    """The rows of the source without the questions that another one tells better."""
    rows = source.rows(at)
    return rows.exclude(kind__in=claimed) if source.name == DESK and isinstance(rows, QuerySet) else rows


def in_order(items: Iterable[TodoItem], *, at: datetime) -> list[TodoItem]:
    """Oldest and dearest first.

    1. What must be answered within PRESSING, the nearest deadline first.
    2. All else by the day (in the site's zone) on which it came up, the oldest day first.
    3. Within a day the dearest of each currency, then the second dearest of each, …; what is about no money comes last.
       Amounts of different currencies are neither added nor compared: only their places in their own currency are.
    4. What is equal so far: the older first.
    """
    known = list(items)
    places = _places_in_currency(known)

    def key(index: int) -> tuple[float, ...]:
        item = known[index]
        if item.due and item.due - at <= PRESSING:
            return 0, item.due.timestamp(), item.since.timestamp()
        return 1, _day(item), not item.amount, places[index], item.since.timestamp()

    return [known[index] for index in sorted(range(len(known)), key=key)]


def _day(item: TodoItem) -> int:
    return timezone.localtime(item.since).toordinal()


def _places_in_currency(items: Sequence[TodoItem]) -> dict[int, int]:
    """Which place each has among those of its day in its currency, the dearest first."""
    groups: dict[tuple[int, str], list[int]] = defaultdict(list)
    for index, item in enumerate(items):
        groups[_day(item), item.currency].append(index)
    return {
        index: place
        for group in groups.values()
        for place, index in enumerate(sorted(group, key=lambda index: -items[index].amount))
    }
