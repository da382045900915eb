"""The figures of a period, read from the roll-ups and a few points of the indexes: it costs the same at any size."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import accumulate
from typing import Any

from django.db import connection
from django.db.models import Aggregate, CharField, F, Sum, Window
from django.db.models.functions import Lower, RowNumber

from payments.figures.daily import (
    CITY,
    EVENTS_DONE,
    EVENTS_FAILED,
    LAG,
    LAG_BOUNDS,
    MONEY,
    RECEIVED,
    known_figures,
)
from payments.figures.days import ONE_DAY, Days, day_of
from payments.figures.models import DailyFigure, FiguresState
from payments.statuses import EventStatus

TIMEFRAMES = {"7d": 7, "30d": 30, "90d": 90}
DEFAULT_TIMEFRAME = "30d"
CITIES = 10
BACKLOG_COUNTED = 10_000
# A worker counts every few seconds; after so long none runs.
STALE_AFTER = timedelta(minutes=2)
BACKLOG_WAITS_TOO_LONG = timedelta(minutes=5)
# As the health of the site has it (docs/operations.md): so many events at least, so many of them failed.
FAILURES_SAMPLE, FAILURES_SHARE = 20, 0.05
NOW = """
    SELECT (SELECT max(received_at) FROM payments_paymentevent), (SELECT max(paid_at) FROM payments_payment),
        (SELECT count(*) FROM payments_orderexception WHERE is_open), count(*), min(received_at)
    FROM (SELECT received_at FROM payments_paymentevent WHERE status IN (%(received)s, %(failed)s)
          AND next_attempt_at <= %(at)s ORDER BY next_attempt_at, id LIMIT %(most)s) AS due
"""


@dataclass(frozen=True, slots=True)
class DayMoney:
    """The money of one day in one currency, in minor units; `transactions`: how many payments came."""

    day: date
    received: int = 0
    refunded: int = 0
    lost: int = 0
    won_back: int = 0
    transactions: int = 0

    @property
    def went_back(self) -> int:
        return self.refunded + self.lost - self.won_back

    @property
    def net(self) -> int:
        return self.received - self.went_back


@dataclass(frozen=True, slots=True)
class CurrencyMoney:
    """One currency over the period: each day of it, those without money too, and the sum of them."""

    currency: str
    days: list[DayMoney]

    @property
    def total(self) -> DayMoney:
        names = (*MONEY, "transactions")
        return DayMoney(self.days[0].day, **{name: sum(getattr(each, name) for each in self.days) for name in names})


@dataclass(frozen=True, slots=True)
class CityMoney:
    """What buyers in one city have paid, in one currency."""

    city: str
    currency: str
    received: int
    transactions: int


@dataclass(frozen=True, slots=True)
class Now:
    """Points of the indexes. `backlog`: events that are due, BACKLOG_COUNTED + 1 for more than that."""

    last_event: datetime | None
    last_payment: datetime | None
    exceptions: int
    backlog: int
    oldest_due: datetime | None


@dataclass(frozen=True, slots=True)
class Figures:
    """One period. `counts`: what is no money, by figure and part. `stock`: as of `count_stock`, {} if never counted."""

    timeframe: str
    days: Days
    at: datetime
    money: list[CurrencyMoney]
    cities: list[CityMoney]
    counts: dict[str, dict[str, int]]
    now: Now
    state: FiguresState | None
    today: dict[str, int] = field(default_factory=dict)

    @property
    def stock(self) -> dict[str, Any]:
        return dict(self.state.stock) if self.state else {}

    def count(self, figure: str) -> int:
        """How often in the period, all parts together."""
        return sum(self.counts.get(figure, {}).values())

    @property
    def conversion_rate(self) -> float | None:
        """The share of users who are premium, in percent; None without users."""
        users = self.stock.get("users")
        return self.stock["premium"] * 100 / users if users else None

    @property
    def success_rate(self) -> float | None:
        """The share of events that went well, of those that came to an end, in percent."""
        done, failed = self.count(EVENTS_DONE), self.count(EVENTS_FAILED)
        return done * 100 / (done + failed) if done + failed else None

    def lag(self, share: float) -> float | None:
        """The seconds from receipt to the end of processing that this share of the events did not exceed."""
        told = self.counts.get(LAG, {})
        buckets = [told.get(str(place), 0) for place in range(len(LAG_BOUNDS) + 1)]
        return quantile(buckets, share, bounds=LAG_BOUNDS)

    @property
    def is_stale(self) -> bool:
        return self.state is None or self.at - self.state.refreshed_at > STALE_AFTER

    @property
    def waits_too_long(self) -> bool:
        oldest = self.now.oldest_due
        return oldest is not None and self.at - oldest > BACKLOG_WAITS_TOO_LONG

    @property
    def fails_too_often(self) -> bool:
        """Of the events of today."""
        done, failed = self.today.get(EVENTS_DONE, 0), self.today.get(EVENTS_FAILED, 0)
        return done + failed >= FAILURES_SAMPLE and failed > FAILURES_SHARE * (done + failed)


def days_of(timeframe: str, *, at: datetime) -> Days:
    """The last 7, 30 or 90 days, today included. Raises KeyError for another timeframe."""
    today = day_of(at)
    return Days(today - ONE_DAY * (TIMEFRAMES[timeframe] - 1), today)


def read_figures(timeframe: str, *, at: datetime) -> Figures:
    """The figures of the period; four queries. Raises KeyError for another timeframe."""
    days = days_of(timeframe, at=at)
    money: dict[tuple[str, date], dict[str, int]] = defaultdict(dict)
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    today: dict[str, int] = {}
    names = [name for name in known_figures() if name != CITY]
    rows = DailyFigure.objects.filter(figure__in=names, day__gte=days.first, day__lte=days.last)
    for day, figure, currency, part, count, amount in rows.values_list(
        "day", "figure", "currency", "part", "count", "amount"
    ):
        if figure in MONEY:
            money[currency, day] |= {figure: amount, **({"transactions": count} if figure == RECEIVED else {})}
        else:
            counts[figure][part] = counts[figure].get(part, 0) + count
            if day == days.last and not part:
                today[figure] = count
    return Figures(
        timeframe, days, at, money=_by_currency(money, days), cities=_top_cities(days), counts=dict(counts),
        now=read_now(at=at), state=FiguresState.objects.first(), today=today,
    )  # fmt: skip


def _by_currency(money: dict[tuple[str, date], dict[str, int]], days: Days) -> list[CurrencyMoney]:
    currencies = sorted({currency for currency, _day in money})
    return [CurrencyMoney(code, [DayMoney(day, **money.get((code, day), {})) for day in days]) for code in currencies]


class Mode(Aggregate):
    """Of different spellings the one that is met most often."""

    template = "mode() WITHIN GROUP (ORDER BY %(expressions)s)"


def _top_cities(days: Days) -> list[CityMoney]:
    """The ten that brought most, of each currency."""
    rows = DailyFigure.objects.filter(figure=CITY, day__gte=days.first, day__lte=days.last)
    cities = rows.values("currency", place=Lower("part")).annotate(
        name=Mode("part", output_field=CharField()), received=Sum("amount"), transactions=Sum("count")
    )
    place = Window(RowNumber(), partition_by="currency", order_by=[F("received").desc(), F("place")])
    found = cities.annotate(rank=place).filter(rank__lte=CITIES).order_by("currency", "rank")
    return [CityMoney(row["name"], row["currency"], int(row["received"]), int(row["transactions"])) for row in found]


def read_now(*, at: datetime) -> Now:
    words = {"received": EventStatus.RECEIVED, "failed": EventStatus.FAILED}
    with connection.cursor() as cursor:
        cursor.execute(
            NOW, {**{name: str(word) for name, word in words.items()}, "at": at, "most": BACKLOG_COUNTED + 1}
        )
        return Now(*cursor.fetchone())


def quantile(buckets: Sequence[int], share: float, *, bounds: Sequence[float]) -> float | None:
    """The value that this share of the counted did not exceed; None where nothing was counted.

    `buckets`: how many lie below each of the bounds, then the rest. Estimated evenly within its bucket; what lies above
    the last bound counts as the bound.
    """
    rank = sum(buckets) * share
    if not rank:
        return None
    place = bisect_left(list(accumulate(buckets)), rank)
    if place >= len(bounds):
        return float(bounds[-1])
    below = bounds[place - 1] if place else 0
    return below + (bounds[place] - below) * (rank - sum(buckets[:place])) / buckets[place]
