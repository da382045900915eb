"""What Prometheus is told of payments: read from the roll-ups, from tallies, and from a few points of the indexes."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import accumulate

from django.db.models import Count, Sum
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from config.metrics import collects
from config.seen import Seen
from payments.alerts.models import Alert
from payments.effects.models import Effect
from payments.figures.daily import DECLINED, EVENTS, EVENTS_DONE, LAG, LAG_BOUNDS, MONEY, RECEIVED
from payments.figures.days import ONE_DAY, day_of
from payments.figures.models import DailyFigure, FiguresState
from payments.figures.period import read_now
from payments.heartbeats import Heartbeat
from payments.ledger.models import PaymentEvent
from payments.orders.models import OrderException
from payments.sql import capped_counts
from payments.statuses import EffectStatus, EventStatus
from payments.tallies import BOUNDS_MS, Tally

COUNTED = (*MONEY, DECLINED, EVENTS, EVENTS_DONE, LAG)
COUNTED_AT_MOST = 1_000
# Days that are over so long move no more, or at night only: each process adds them up once a day.
STILL_MOVE = timedelta(days=31)
# By figure, currency and part: how often, how much.
Totals = dict[tuple[str, str, str], tuple[int, int]]


@collects
def money(at: datetime) -> Iterator[Metric]:
    """Counters of all time, by currency; amounts in minor units."""
    totals = all_time(at)
    count = CounterMetricFamily("payments_received", "Payments that came.", labels=["currency"])
    amount = CounterMetricFamily(
        "payments_amount_minor", "What came and went, in minor units.", labels=["kind", "currency"]
    )
    for (figure, currency, _part), (number, sum_of_it) in sorted(totals.items()):
        if figure == RECEIVED:
            count.add_metric([currency], number)
        if figure in MONEY:
            amount.add_metric([figure, currency], sum_of_it)
    declined = CounterMetricFamily("payments_declined", "Tries that banks refused.")
    declined.add_metric([], _count(totals, DECLINED))
    yield from (count, amount, declined)


@collects
def events(at: datetime) -> Iterator[Metric]:
    """What came through the webhook, how long it took, and what waits or is stuck."""
    totals = all_time(at)
    received = CounterMetricFamily("stripe_events_received", "Events that were kept.")
    received.add_metric([], _count(totals, EVENTS))
    processed = CounterMetricFamily("stripe_events_processed", "Events that came to their end.")
    processed.add_metric([], _count(totals, EVENTS_DONE))
    buckets = [totals.get((LAG, "", str(place)), (0, 0))[0] for place in range(len(LAG_BOUNDS) + 1)]
    lag = HistogramMetricFamily("stripe_event_lag_seconds", "From receipt to the end of processing.")
    lag.add_metric([], _cumulative([*map(str, LAG_BOUNDS), "+Inf"], buckets), None)
    yield from (received, processed, lag)
    yield from _queue(at)


def _queue(at: datetime) -> Iterator[Metric]:
    now = read_now(at=at)
    states = (EventStatus.FAILED, EventStatus.DEAD, EventStatus.HELD)
    rows = [PaymentEvent.objects.filter(status=status) for status in states]
    effects = [
        Effect.objects.filter(status=status)
        for status in (EffectStatus.PENDING, EffectStatus.DEAD, EffectStatus.UNCERTAIN)
    ]
    questions = OrderException.objects.filter(is_open=True)
    counts = capped_counts([*rows, *effects, questions], most=COUNTED_AT_MOST)
    waiting = GaugeMetricFamily(
        "stripe_events", "Events that are not done, by state; 1 000 stands for more.", labels=["state"]
    )
    waiting.add_metric(["due"], min(now.backlog, COUNTED_AT_MOST))
    for name, number in zip(("failed", "dead", "held"), counts[:3], strict=True):
        waiting.add_metric([name], number)
    age = GaugeMetricFamily("stripe_events_oldest_due_seconds", "How long the oldest event that is due has waited.")
    age.add_metric([], max(0.0, (at - now.oldest_due).total_seconds()) if now.oldest_due else 0.0)
    effect = GaugeMetricFamily("effects", "Mails, alerts and refunds that are not done, by state.", labels=["state"])
    for name, number in zip(("pending", "dead", "uncertain"), counts[3:6], strict=True):
        effect.add_metric([name], number)
    asked = GaugeMetricFamily("questions_open", "What waits for a decision by staff.")
    asked.add_metric([], counts[6])
    last = GaugeMetricFamily("stripe_event_last_timestamp_seconds", "When the last event came.")
    last.add_metric([], now.last_event.timestamp() if now.last_event else 0.0)
    yield from (waiting, age, effect, asked, last)


@collects
def life(at: datetime) -> Iterator[Metric]:
    """Open alerts, signs of life, how busy machines are, how fresh the figures are."""
    alerts = GaugeMetricFamily("alerts_open", "Alerts that are open.", labels=["rule", "severity"])
    rows = Alert.objects.filter(closed_at=None).order_by("rule").values_list("rule", "severity")
    for rule, severity, number in rows.annotate(number=Count("pk")):
        alerts.add_metric([rule, severity], number)
    seen = GaugeMetricFamily("heartbeat_age_seconds", "Since the last sign of life.", labels=["process", "host"])
    busy = GaugeMetricFamily("host_cpu_percent", "How busy the processors are.", labels=["process", "host"])
    for name, host, last, cpu_percent in Heartbeat.objects.values_list("name", "host", "at", "cpu_percent"):
        seen.add_metric([name, host], max(0.0, (at - last).total_seconds()))
        if cpu_percent is not None:
            busy.add_metric([name, host], cpu_percent)
    fresh = GaugeMetricFamily("figures_age_seconds", "Since the figures were counted last.")
    if refreshed_at := FiguresState.objects.values_list("refreshed_at", flat=True).first():
        fresh.add_metric([], max(0.0, (at - refreshed_at).total_seconds()))
    yield from (alerts, seen, busy, fresh)


@collects
def tallied(_at: datetime) -> Iterator[Metric]:
    """Calls to Stripe, answers of this site, refused deliveries."""
    calls = HistogramMetricFamily("stripe_call_seconds", "Calls to Stripe, by how they ended.", labels=["outcome"])
    answers = HistogramMetricFamily(
        "http_answer_seconds", "Answers of this site, by whom they serve.", labels=["area", "status"]
    )
    refused = CounterMetricFamily("stripe_deliveries_refused", "Deliveries that were refused.", labels=["reason"])
    bounds = [*(str(bound / 1000) for bound in BOUNDS_MS), "+Inf"]
    for row in Tally.objects.order_by("what", "label"):
        buckets, seconds = _cumulative(bounds, row.buckets), row.micros / 1_000_000
        if row.what == Seen.REFUSAL:
            refused.add_metric([row.label], row.count)
        elif row.what == Seen.STRIPE_CALL:
            calls.add_metric([row.label], buckets, seconds)
        elif row.what == Seen.ANSWER:
            answers.add_metric(row.label.split(" ", 1), buckets, seconds)
    yield from (calls, answers, refused)


def all_time(at: datetime) -> Totals:
    """What all days brought together."""
    since = day_of(at) - STILL_MOVE
    totals = dict(_until(since))
    for key, (number, amount) in _sums(since, day_of(at) + ONE_DAY).items():
        before = totals.get(key, (0, 0))
        totals[key] = (before[0] + number, before[1] + amount)
    return totals


@lru_cache(maxsize=1)
def _until(day: date) -> Totals:
    return _sums(date.min, day)


def _sums(first: date, end: date) -> Totals:
    rows = DailyFigure.objects.filter(figure__in=COUNTED, day__gte=first, day__lt=end).order_by()
    sums = rows.values_list("figure", "currency", "part").annotate(number=Sum("count"), total=Sum("amount"))
    return {(figure, currency, part): (int(number), int(total)) for figure, currency, part, number, total in sums}


def _count(totals: Totals, figure: str) -> int:
    return sum(number for (name, _currency, _part), (number, _amount) in totals.items() if name == figure)


def _cumulative(bounds: list[str], buckets: list[int]) -> list[tuple[str, float]]:
    return list(zip(bounds, map(float, accumulate(buckets)), strict=True))


def forget_totals() -> None:
    """Add up everything again; for tests, whose rows go away."""
    _until.cache_clear()
