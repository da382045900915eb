"""Keeps the roll-ups true: days that moved are counted again, and every night all of them are compared with the rows.

One at a time, everywhere: who counts holds the lock, reads no row before, and takes only the marks that it can see
then. What is committed later leaves a mark of its own (docs/adr/0015-figures.md).
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from operator import attrgetter
from time import monotonic

import structlog
from django.db import connection, transaction
from django.db.models import Max, Min

from payments.billing.models import Payment
from payments.figures.daily import ABOUT_EVENTS, Key, count_days
from payments.figures.days import ONE_DAY, Days, day_of, in_rows
from payments.figures.models import DailyFigure, FiguresState
from payments.figures.stock import count_stock
from payments.ledger.models import PaymentEvent
from payments.locks import take_advisory_lock, wait_for_advisory_lock
from payments.moved_days import MovedDay
from payments.orders.models import Order

log = structlog.get_logger(__name__)
LOCK = "figures"
# Each row of days costs its dozen of statements, be it a day or a month.
DAYS_AT_ONCE, ROWS_OF_DAYS_AT_ONCE = 31, 7
# With marks and without: how long after the last count the next one is due.
PAUSE_AFTER_MARK, PAUSE = timedelta(seconds=1), timedelta(seconds=5)
# Where counting takes long it rests longer, too; but not so long that nobody believes the figures any more.
PAUSE_PER_SPENT, LONGEST_PAUSE = 10, timedelta(seconds=30)
STOCK_LASTS = timedelta(seconds=30)
# Those that could be seen when the statement began, of the newest days.
TAKE_MARKS = """
    DELETE FROM payments_movedday
    WHERE day IN (SELECT DISTINCT day FROM payments_movedday ORDER BY day DESC LIMIT %s) RETURNING day
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure that the roll-ups tell otherwise than the rows: (count, amount) each; None: it is not there."""

    key: Key
    told: tuple[int, int] | None
    counted: tuple[int, int] | None


def refresh_figures(*, at: datetime) -> bool:
    """Count the days again that have moved, and those that are not over. False: nothing was due, or somebody else is
    at it. A day that is not over moves without marks: orders begin, events arrive.
    """
    began = monotonic()
    with transaction.atomic(durable=True):
        if not take_advisory_lock(LOCK):
            return False
        state = FiguresState.objects.first()
        if state and not _is_due(state, at=at):
            return False
        days = _take_days(state, at=at)
        for row in days:
            save_differences(find_differences(row))
        took_ms = round((monotonic() - began) * 1000)
        _note_refresh(state, took_ms=took_ms, at=at)
    log.debug("figures.refreshed", rows_of_days=len(days), took_ms=took_ms)
    return True


def _is_due(state: FiguresState, *, at: datetime) -> bool:
    pause = PAUSE_AFTER_MARK if MovedDay.objects.exists() else PAUSE
    rest = min(timedelta(milliseconds=state.took_ms * PAUSE_PER_SPENT), LONGEST_PAUSE)
    return at - state.refreshed_at >= max(pause, rest)


def _take_days(state: FiguresState | None, *, at: datetime) -> list[Days]:
    """The days to count now, the newest first. Whatever has gone uncounted since the last time, be it all, comes as
    marks; what is too much at once goes back.
    """
    today = day_of(at)
    since = day_of(state.refreshed_at) if state else first_day(at=at)
    missed = [day for day in Days(since - ONE_DAY, today) if day < today - ONE_DAY]
    MovedDay.objects.bulk_create([MovedDay(day=day) for day in missed])
    with connection.cursor() as cursor:
        cursor.execute(TAKE_MARKS, [DAYS_AT_ONCE])
        marked = {day for (day,) in cursor.fetchall()}
    found = sorted(in_rows({*marked, today - ONE_DAY, today}), key=attrgetter("first"), reverse=True)
    MovedDay.objects.bulk_create([MovedDay(day=day) for row in found[ROWS_OF_DAYS_AT_ONCE:] for day in row])
    return found[:ROWS_OF_DAYS_AT_ONCE]


def _note_refresh(state: FiguresState | None, *, took_ms: int, at: datetime) -> None:
    state = state or FiguresState(pk=1)
    state.refreshed_at, state.took_ms = at, took_ms
    if state.stock_at is None or at - state.stock_at >= STOCK_LASTS:
        state.stock, state.stock_at = count_stock(at=at), at
    state.save()


def first_day(*, at: datetime) -> date:
    """The day on which the history of the rows begins; today if there is none."""
    firsts = (
        Payment.objects.filter(received__gt=0).aggregate(first=Min("paid_at")),
        Order.objects.aggregate(first=Min("created_at")),
        PaymentEvent.objects.aggregate(first=Min("received_at")),
    )
    told = [day_of(each["first"]) for each in firsts if each["first"]]
    known = DailyFigure.objects.aggregate(first=Min("day"))["first"]
    return min([*told, *filter(None, [known]), day_of(at)])


# --- comparing ---------------------------------------------------------------------------------------------------


def find_differences(days: Days) -> list[Difference]:
    """Where the roll-ups of these days differ from what their rows say now."""
    stored = DailyFigure.objects.filter(day__gte=days.first, day__lte=days.last)
    told: dict[Key, tuple[int, int]] = {
        (day, figure, currency, part): (count, amount)
        for day, figure, currency, part, count, amount in stored.values_list(
            "day", "figure", "currency", "part", "count", "amount"
        )
    }
    counted = count_days(days)
    keys = sorted({*told, *counted})
    return [Difference(key, told.get(key), counted.get(key)) for key in keys if told.get(key) != counted.get(key)]


def save_differences(differences: Collection[Difference]) -> None:
    """Let the roll-ups say what the rows say."""
    rows = [
        DailyFigure(day=key[0], figure=key[1], currency=key[2], part=key[3], count=counted[0], amount=counted[1])
        for key, counted in ((each.key, each.counted) for each in differences)
        if counted
    ]
    DailyFigure.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["figure", "day", "currency", "part"],
        update_fields=["count", "amount"], batch_size=1000,
    )  # fmt: skip
    for day, figure, currency, part in (each.key for each in differences if not each.counted):
        DailyFigure.objects.filter(day=day, figure=figure, currency=currency, part=part).delete()


# --- all of the history, in pieces -------------------------------------------------------------------------------


def compare_all(*, since: date | None = None, heal: bool, at: datetime) -> Iterator[tuple[Days, list[Difference]]]:
    """Compare day after day with the rows, a month at a time, each in a transaction of its own; `heal` puts right.

    What is marked is known to have moved, and what is not over is counted all the time: neither differs.
    """
    with transaction.atomic():
        first = since or first_day(at=at)
        state = FiguresState.objects.first()
    last = min(day_of(at), day_of(state.refreshed_at) if state else date.max) - 2 * ONE_DAY
    while first <= last:
        days = Days(first, min(first + (DAYS_AT_ONCE - 1) * ONE_DAY, last))
        yield days, _compare(days, heal=heal)
        first = days.last + ONE_DAY


@transaction.atomic
def _compare(days: Days, *, heal: bool) -> list[Difference]:
    wait_for_advisory_lock(LOCK)
    differences = find_differences(days)
    # Asked after the rows: what moved while they were read has left its mark by now.
    marked = set(MovedDay.objects.filter(day__gte=days.first, day__lte=days.last).values_list("day", flat=True))
    if heal:
        save_differences(differences)
    return [each for each in differences if each.key[0] not in marked]


def is_alarming(difference: Difference) -> bool:
    """Whether something must have gone past its mark. An event that is tried again counts otherwise meanwhile."""
    return difference.key[1] not in ABOUT_EVENTS


def note_check(*, at: datetime) -> None:
    """All of the history has been compared."""
    FiguresState.objects.update(checked_at=at)


def last_marked() -> date | None:
    """The newest day that waits to be counted again."""
    newest: date | None = MovedDay.objects.aggregate(newest=Max("day"))["newest"]
    return newest
