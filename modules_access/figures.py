"""Counts verifications of tokens, reads the numbers about modules, and exports them to Prometheus."""

import random
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from typing import Any

from django.db import connection
from django.db.models import Count, F, Q, Sum
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from config.metrics import collects
from modules_access.models import AccessType, ModuleAccess, TokenChecks
from payments.figures.period import quantile as quantile_within

OK = "ok"
HOUR = timedelta(hours=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROS_PER_SECOND = 1_000_000
# What took longer than the last falls into one more bucket.
BUCKET_BOUNDS_MS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
BUCKET_COUNT = len(BUCKET_BOUNDS_MS) + 1
# In seconds, as Prometheus has it.
BUCKET_LABELS = [*(str(bound / 1000) for bound in BUCKET_BOUNDS_MS), "+Inf"]
# Simultaneous counts of one outcome lie in different rows, so that they seldom wait for each other.
SLOT_COUNT = 16
HOURS_KEPT_FOR = timedelta(days=400)
# A count belongs to the hour in which the verification began; after so long no more come for it.
HOUR_CLOSES_AFTER = timedelta(hours=2)
GATHERED_WITHIN = timedelta(days=7)
MAX_ROWS_GATHERED = 2000
# Looking at all accesses takes time: however often somebody asks, a process does it once in so many seconds.
ACCESSES_COUNTED_EVERY = timedelta(seconds=15)

COUNT_SQL = """
    INSERT INTO modules_access_tokenchecks AS kept (hour, outcome, slot, number, micros, buckets)
    VALUES (date_trunc('hour', %(at)s, 'UTC'), %(outcome)s, %(slot)s, 1, %(micros)s, %(buckets)s)
    ON CONFLICT (hour, outcome, slot) DO UPDATE SET
        number = kept.number + 1,
        micros = kept.micros + EXCLUDED.micros,
        buckets[%(bucket)s] = COALESCE(kept.buckets[%(bucket)s], 0) + 1
    RETURNING number
"""
# What is old moves into one row of its outcome (hour: 'epoch') instead of going away: the counters of /metrics are
# sums over this table, and Prometheus takes a counter that falls for one that began again.
GATHER_SQL = """
    WITH old AS (
        SELECT id FROM modules_access_tokenchecks
        WHERE (hour < %(closed)s AND hour >= %(recent)s AND slot > 0) OR (hour < %(ended)s AND hour > 'epoch')
        ORDER BY id LIMIT %(most)s FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM modules_access_tokenchecks USING old WHERE modules_access_tokenchecks.id = old.id
        RETURNING CASE WHEN hour < %(ended)s THEN 'epoch' ELSE hour END AS hour, outcome, number, micros, buckets
    ), sums AS (
        SELECT hour, outcome, sum(number) AS number, sum(micros) AS micros FROM gone GROUP BY hour, outcome
    ), filled AS (
        SELECT hour, outcome, array_agg(total ORDER BY place) AS buckets FROM (
            SELECT hour, outcome, place, sum(value) AS total
            FROM gone, unnest(gone.buckets) WITH ORDINALITY AS bucket(value, place) GROUP BY hour, outcome, place
        ) AS each_bucket GROUP BY hour, outcome
    )
    INSERT INTO modules_access_tokenchecks AS kept (hour, outcome, slot, number, micros, buckets)
    SELECT hour, outcome, 0, sums.number, sums.micros, filled.buckets FROM sums JOIN filled USING (hour, outcome)
    ORDER BY hour, outcome
    ON CONFLICT (hour, outcome, slot) DO UPDATE SET
        number = kept.number + EXCLUDED.number,
        micros = kept.micros + EXCLUDED.micros,
        buckets = ARRAY(
            SELECT COALESCE(kept.buckets[place], 0) + COALESCE(EXCLUDED.buckets[place], 0)
            FROM generate_series(1, GREATEST(cardinality(kept.buckets), cardinality(EXCLUDED.buckets))) AS place
        )
"""


def count_check(*, outcome: str, micros: int, at: datetime) -> None:
    """Count one verification: "ok" or the code of its refusal, and how long it took in microseconds.

    Belongs outside of transactions: others who count the same would wait for their end.
    """
    bucket = bisect_left(BUCKET_BOUNDS_MS, micros / 1000)
    buckets = [0] * BUCKET_COUNT
    buckets[bucket] = 1
    slot = random.randrange(SLOT_COUNT)
    parameters: dict[str, Any] = {"at": at, "outcome": outcome, "slot": slot, "micros": micros, "buckets": buckets}
    with connection.cursor() as cursor:
        cursor.execute(COUNT_SQL, {**parameters, "bucket": bucket + 1})
        (number,) = cursor.fetchone()
    if number == 1 and slot == 0:
        gather_old(at=at)


def gather_old(*, at: datetime) -> None:
    """Gather the slots of closed hours in one row, and all that is older than 400 days in one of each outcome.

    Bounded, and at any time: sums stay as they are.
    """
    closed = at - HOUR_CLOSES_AFTER
    parameters: dict[str, Any] = {
        "closed": closed,
        "recent": closed - GATHERED_WITHIN,
        "ended": at - HOURS_KEPT_FOR,
        "most": MAX_ROWS_GATHERED,
    }
    with connection.cursor() as cursor:
        cursor.execute(GATHER_SQL, parameters)


# --- reading: one period, for the admin --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OutcomeFigures:
    """How verifications of one outcome went; `micros`: the time that they took together.

    `buckets`: how many took at most as long as each of BUCKET_BOUNDS_MS, then the rest.
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
    checks = read_outcomes(since=since, until=until)
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
    reasons: dict[str, dict[str, int]] = {source: {} for source in AccessType.values}
    counts = rows.order_by().values_list("access_type", "ended_reason").annotate(count=Count("pk")).order_by("-count")
    for source, reason, count in counts:
        reasons[source][reason] = count
    return reasons


def read_outcomes(*, since: datetime, until: datetime) -> list[OutcomeFigures]:
    """How verifications went, the most frequent outcome first; both ends rounded to the beginning of their hour."""
    rows = TokenChecks.objects.filter(hour__gt=since - HOUR, hour__lt=until)
    sums = {f"bucket_{place}": Sum(f"buckets__{place}", default=0) for place in range(BUCKET_COUNT)}
    counts = rows.values_list("outcome").annotate(checks=Sum("number"), time=Sum("micros"), **sums)
    ordered = counts.order_by("-checks", "outcome")
    return [OutcomeFigures(outcome, number, micros, tuple(buckets)) for outcome, number, micros, *buckets in ordered]


def quantile(buckets: Sequence[int], share: float) -> float | None:
    """The time in milliseconds that this share of the counted did not exceed; None where nothing was counted."""
    return quantile_within(buckets, share, bounds=BUCKET_BOUNDS_MS)


# --- exporting: counters of Prometheus never fall, since their rows stay ------------------------------------------


@collects
def accesses(at: datetime) -> Iterator[Metric]:
    """How many accesses there were and are, by what gives them."""
    created = CounterMetricFamily("module_accesses_created", "Accesses given.", labels=["source"])
    for source, number in sorted(_created(at).items()):
        created.add_metric([source], number)
    active = GaugeMetricFamily("module_accesses_active", "Accesses that let somebody in now.", labels=["source"])
    # A gauge: what is withdrawn can be given back, and a counter never falls.
    withdrawn = GaugeMetricFamily(
        "module_accesses_withdrawn", "Accesses that are withdrawn, by why.", labels=["source", "reason"]
    )
    lets_in = Counter(dict.fromkeys(AccessType.values, 0))
    for source, reason, number, lets in _access_counts(_floor(at, ACCESSES_COUNTED_EVERY)):
        lets_in[source] += lets
        if reason:
            withdrawn.add_metric([source, reason], number)
    for source, lets in sorted(lets_in.items()):
        active.add_metric([source], lets)
    yield from (created, active, withdrawn)


@collects
def verifications(at: datetime) -> Iterator[Metric]:
    """How verifications of tokens ended, and how long they took."""
    closed = _floor(at - HOUR_CLOSES_AFTER, HOUR)
    outcomes = [*_outcomes_before(closed), *read_outcomes(since=closed, until=at + HOUR)]
    numbers = Counter[str]()
    for each in outcomes:
        numbers[each.outcome] += each.number
    total = CounterMetricFamily("module_token_verifications", "Verifications of tokens.", labels=["outcome"])
    for outcome, number in sorted(numbers.items()):
        total.add_metric([outcome], number)
    yield from (total, _histogram(outcomes))


def _histogram(outcomes: Sequence[OutcomeFigures]) -> Metric:
    counts = accumulate(sum(each.buckets[place] for each in outcomes) for place in range(BUCKET_COUNT))
    seconds = sum(each.micros for each in outcomes) / MICROS_PER_SECOND
    name = "module_token_verify_seconds"
    family = HistogramMetricFamily(name, "How long verifications took, whatever came of them.")
    family.add_metric([], [(limit, count) for limit, count in zip(BUCKET_LABELS, counts, strict=True)], seconds)
    return family


def _created(at: datetime) -> dict[str, int]:
    """All that were ever given: those of closed hours are counted once an hour, the others by their index."""
    closed = _floor(at - HOUR_CLOSES_AFTER, HOUR)
    before, since = _created_before(closed), created_by_source(since=closed, until=at + HOUR)
    return {source: before[source] + number for source, number in since.items()}


@lru_cache(maxsize=1)
def _created_before(closed: datetime) -> dict[str, int]:
    return created_by_source(since=EPOCH, until=closed)


@lru_cache(maxsize=1)
def _outcomes_before(closed: datetime) -> list[OutcomeFigures]:
    return read_outcomes(since=EPOCH, until=closed)


@lru_cache(maxsize=1)
def _access_counts(at: datetime) -> list[tuple[str, str, int, int]]:
    """Source, why it ended ("": it has not), how many, and how many of them let somebody in at this moment."""
    lets_in = (
        Q(is_active=True)
        & (Q(expires_at__isnull=True) | Q(expires_at__gt=at))
        & (Q(token__isnull=True) | Q(token__used__lt=F("token__max_usage")))
    )
    rows = ModuleAccess.objects.order_by().values_list("access_type", "ended_reason")
    counts = rows.annotate(all=Count("pk"), lets_in=Count("pk", filter=lets_in))
    return list(counts.order_by("access_type", "ended_reason"))


def _floor(at: datetime, step: timedelta) -> datetime:
    """The last moment before that is a whole number of steps from the beginning."""
    return at - (at - EPOCH) % step


def clear_caches() -> None:
    """Count everything again; for tests, whose rows go away."""
    for cached in (_created_before, _outcomes_before, _access_counts):
        cached.cache_clear()
