"""What Prometheus learns about modules. Counters never fall: their rows stay (modules_access/counting.py)."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import accumulate

from django.db.models import Count, F, Q
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from config.metrics import collects
from modules_access.counting import BOUNDS, BUCKETS, CLOSED_AFTER
from modules_access.figures import Verified, created_by_source, read_verified
from modules_access.models import AccessType, ModuleAccess

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
# In seconds, as Prometheus has it.
LIMITS = [*(str(bound / 1000) for bound in BOUNDS), "+Inf"]
MICROS = 1_000_000
# Looking at all accesses takes time: however often somebody asks, a process does it once in so many seconds.
STANDING_FOR = timedelta(seconds=15)


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
    for source, reason, number, lets in _standing(_floor(at, STANDING_FOR)):
        lets_in[source] += lets
        if reason:
            withdrawn.add_metric([source, reason], number)
    for source, lets in sorted(lets_in.items()):
        active.add_metric([source], lets)
    yield from (created, active, withdrawn)


@collects
def verifications(at: datetime) -> Iterator[Metric]:
    """How verifications of tokens ended, and how long they took."""
    closed = _floor(at - CLOSED_AFTER, HOUR)
    found = [*_verified_before(closed), *read_verified(since=closed, until=at + HOUR)]
    numbers = Counter[str]()
    for each in found:
        numbers[each.outcome] += each.number
    total = CounterMetricFamily("module_token_verifications", "Verifications of tokens.", labels=["outcome"])
    for outcome, number in sorted(numbers.items()):
        total.add_metric([outcome], number)
    yield from (total, _histogram(found))


def _histogram(found: Sequence[Verified]) -> Metric:
    counts = accumulate(sum(each.buckets[place] for each in found) for place in range(BUCKETS))
    seconds = sum(each.micros for each in found) / MICROS
    name = "module_token_verify_seconds"
    family = HistogramMetricFamily(name, "How long verifications took, whatever came of them.")
    family.add_metric([], [(limit, count) for limit, count in zip(LIMITS, counts, strict=True)], seconds)
    return family


def _created(at: datetime) -> dict[str, int]:
    """All that were ever given: those of closed hours are counted once an hour, the others by their index."""
    closed = _floor(at - CLOSED_AFTER, HOUR)
    before, since = _created_before(closed), created_by_source(since=closed, until=at + HOUR)
    return {source: before[source] + number for source, number in since.items()}


@lru_cache(maxsize=1)
def _created_before(closed: datetime) -> dict[str, int]:
    return created_by_source(since=BEGINNING, until=closed)


@lru_cache(maxsize=1)
def _verified_before(closed: datetime) -> list[Verified]:
    return read_verified(since=BEGINNING, until=closed)


@lru_cache(maxsize=1)
def _standing(at: datetime) -> list[tuple[str, str, int, int]]:
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
    return at - (at - BEGINNING) % step


def forget() -> None:
    """Count everything anew; for tests, whose rows go away."""
    for cached in (_created_before, _verified_before, _standing):
        cached.cache_clear()
