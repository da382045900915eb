"""Days as the site's own clock has them: some have 23 hours, some 25."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import DateField, F, Q
from django.db.models.functions import Coalesce, TruncDate
from django.utils.timezone import get_default_timezone, localdate

ONE_DAY = timedelta(days=1)
Moment = F | Coalesce | str


def day_of(moment: datetime) -> date:
    """The day on which something happened."""
    return localdate(moment, get_default_timezone())


def midnight(day: date) -> datetime:
    """The moment at which the day begins."""
    return datetime.combine(day, time.min, tzinfo=get_default_timezone())


def day_in_sql(moment: Moment) -> TruncDate:
    """The day of a column's moment; `TruncDate` alone would take the zone of whoever asks."""
    return TruncDate(moment, tzinfo=get_default_timezone(), output_field=DateField())


@dataclass(frozen=True, slots=True)
class Days:
    """Days in a row, both ends included; `since` and `until` (excluded) are the moments at which they begin and end."""

    first: date
    last: date

    @property
    def since(self) -> datetime:
        return midnight(self.first)

    @property
    def until(self) -> datetime:
        return midnight(self.last + ONE_DAY)

    def __iter__(self) -> Iterator[date]:
        return (self.first + ONE_DAY * number for number in range((self.last - self.first).days + 1))

    def moments_of(self, column: str) -> Q:
        """The condition that the moment in this column lies within."""
        return Q(**{f"{column}__gte": self.since, f"{column}__lt": self.until})


def in_rows(days: Collection[date]) -> Iterator[Days]:
    """These days, those that follow each other together."""
    row: list[date] = []
    for day in sorted(days):
        if row and day != row[-1] + ONE_DAY:
            yield Days(row[0], row[-1])
            row = []
        row.append(day)
    if row:
        yield Days(row[0], row[-1])
