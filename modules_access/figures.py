"""The numbers about modules: what was created and withdrawn in a period, and how verifications went."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate

from django.db.models import Count, Sum

from modules_access.counting import BOUNDS, BUCKETS, count_check
from modules_access.models import AccessType, ModuleAccess, TokenChecks

__all__ = ["OK", "Figures", "Verified", "count_check", "quantile", "read_figures", "read_verified"]

OK = "ok"
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Verified:
    """How verifications of one outcome went. `buckets`: how many took at most as long as each of BOUNDS, then the rest.

    `micros`: the time that they took together.
    """

    outcome: str
    number: int
    micros: int
    buckets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """One period. `created` by source; `withdrawn` by source and reason; `median` and `p95` in milliseconds."""

    since: datetime
    until: datetime
    created: dict[str, int]
    withdrawn: dict[str, dict[str, int]]
    verified: int
    refused: dict[str, int]
    median: float | None
    p95: float | None


def read_figures(*, since: datetime, until: datetime) -> Figures:
    """The figures of a period, whose first hour counts whole; three queries."""
    checks = read_verified(since=since, until=until)
    buckets = [sum(column) for column in zip(*(each.buckets for each in checks), strict=True)]
    return Figures(
        since=since,
        until=until,
        created=created_by_source(since=since, until=until),
        withdrawn=withdrawn_by_source(since=since, until=until),
        verified=sum(each.number for each in checks if each.outcome == OK),
        refused={each.outcome: each.number for each in checks if each.outcome != OK},
        median=quantile(buckets, 0.5),
        p95=quantile(buckets, 0.95),
    )


def created_by_source(*, since: datetime, until: datetime) -> dict[str, int]:
    """How many accesses were given; each source is named."""
    rows = ModuleAccess.objects.filter(created_at__gte=since, created_at__lt=until)
    counts = rows.order_by().values_list("access_type").annotate(count=Count("pk"))
    return {**dict.fromkeys(AccessType.values, 0), **dict(counts)}


def withdrawn_by_source(*, since: datetime, until: datetime) -> dict[str, dict[str, int]]:
    """How many have ended in the period and were not given back since; each source is named."""
    rows = ModuleAccess.objects.filter(ended_at__gte=since, ended_at__lt=until)
    found: dict[str, dict[str, int]] = {source: {} for source in AccessType.values}
    counts = rows.order_by().values_list("access_type", "ended_reason").annotate(count=Count("pk")).order_by("-count")
    for source, reason, count in counts:
        found[source][reason] = count
    return found


def read_verified(*, since: datetime, until: datetime) -> list[Verified]:
    """How verifications went, the most frequent outcome first; both ends rounded to the beginning of their hour."""
    rows = TokenChecks.objects.filter(hour__gt=since - HOUR, hour__lt=until)
    sums = {f"bucket_{place}": Sum(f"buckets__{place}", default=0) for place in range(BUCKETS)}
    counts = rows.values_list("outcome").annotate(checks=Sum("number"), time=Sum("micros"), **sums)
    ordered = counts.order_by("-checks", "outcome")
    return [Verified(outcome, number, micros, tuple(buckets)) for outcome, number, micros, *buckets in ordered]


def quantile(buckets: Sequence[int], share: float) -> float | None:
    """The time in milliseconds that this share of the counted did not exceed; None where nothing was counted.

    Estimated evenly within its bucket; what took longer than the last bound counts as the bound.
    """
    wanted = sum(buckets) * share
    if not wanted:
        return None
    place = next(index for index, so_far in enumerate(accumulate(buckets)) if so_far >= wanted)
    if place >= len(BOUNDS):
        return float(BOUNDS[-1])
    below = BOUNDS[place - 1] if place else 0
    return below + (BOUNDS[place] - below) * (wanted - sum(buckets[:place])) / buckets[place]
