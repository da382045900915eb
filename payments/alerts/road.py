"""What is watched on the way of events: do they arrive, are they processed, does everything live that should."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from statistics import median

from django.db.models import Max, Min
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from config.seen import Seen
from payments.alerts.rules import AlertSeverity, Look, Trouble, alert_rule, moment_words, words
from payments.diagnosis.causes import cause_of
from payments.figures.period import BACKLOG_WAITS_TOO_LONG, read_now
from payments.figures.recent import WEBHOOKS_DEGRADED, read_counts
from payments.heartbeats import BEAT, BUSY_PERCENT, LOST_AFTER, WORKER, Heartbeat
from payments.ledger.models import PaymentEvent, RefusedDeliveries
from payments.sql import capped_counts
from payments.statuses import EventStatus
from payments.tallies import Tally, hour_of

COUNTED_AT_MOST = 1000
# What else is refused comes from strangers, or is no harm.
REFUSED_IN_EARNEST = (
    "invalid_signature", "missing_signature", "timestamp_too_old", "timestamp_in_future", "no_webhook_secret",
    "not_stored", "server_error", "wrong_host", "wrong_path", "body_too_large", "unreadable_body", "incomplete_body",
)  # fmt: skip
# As usual is what the same hour of the last days has brought; of less than so many events silence says nothing.
USUAL_DAYS, USUAL_EVENTS = 7, 5
BUSY_FOR = timedelta(minutes=10)
# Of all answers, and of all calls.
ERRORS_SHARE, CALLS_SHARE = 0.05, 0.25


def health_page() -> str:
    return reverse("admin:health")


def events_page(query: str = "") -> str:
    """The ledger, filtered."""
    return f"{reverse('admin:payments_paymentevent_changelist')}{query}"


@alert_rule(
    "events.failing", title=_("Events fail"), severity=AlertSeverity.MEDIUM, sample=20,
    remedy=_("Find out why on the page of the failing events; once the cause is gone, replay them from there."),
)  # fmt: skip
def events_fail(look: Look) -> Iterator[Trouble]:
    counts = read_counts(since=look.since, at=look.at)
    ended = counts.events_done + counts.events_failed
    if ended >= look.sample and counts.webhook_failure_rate > WEBHOOKS_DEGRADED:
        text = gettext_noop("%(failed)s of the %(all)s events of the last hour could not be processed.")
        values = {"failed": str(counts.events_failed), "all": str(ended)}
        yield Trouble(text, events_page(f"?status__exact={EventStatus.FAILED}"), values)


@alert_rule(
    "events.dead", title=_("Events given up"), severity=AlertSeverity.MEDIUM, has_mail=False,
    remedy=_("They are not tried again by themselves. Find out why they fail, then replay them."),
)  # fmt: skip
def events_are_dead(_look: Look) -> Iterator[Trouble]:
    [count] = capped_counts([PaymentEvent.objects.filter(status=EventStatus.DEAD)], most=COUNTED_AT_MOST)
    if count:
        text = gettext_noop("Events that were given up: %(count)s.")
        yield Trouble(text, events_page(f"?status__exact={EventStatus.DEAD}"), {"count": str(count)})


@alert_rule(
    "events.waiting", title=_("Events wait"), severity=AlertSeverity.HIGH,
    remedy=_("See whether a worker runs and what it logs. What waits is kept, and nothing is lost."),
)  # fmt: skip
def events_wait(look: Look) -> Iterator[Trouble]:
    now = read_now(at=look.at)
    if now.oldest_due and look.at - now.oldest_due > BACKLOG_WAITS_TOO_LONG:
        text = gettext_noop("Events that are due and wait: %(count)s, the oldest since %(clock)s.")
        values = {"count": str(now.backlog), **moment_words(now.oldest_due)}
        yield Trouble(text, health_page(), values)


@alert_rule(
    "events.silent", title=_("Stripe is silent"), severity=AlertSeverity.HIGH, every=timedelta(minutes=1),
    remedy=_(
        "Look on the page of the webhooks whether the endpoint is enabled and our address answers as Stripe would see "
        "it. What was missed is fetched by stripe_backfill."
    ),
)  # fmt: skip
def stripe_is_silent(look: Look) -> Iterator[Trouble]:
    """Nothing came in an hour that brought events on most of the last days."""
    hours = [(look.since - timedelta(days=day), look.at - timedelta(days=day)) for day in range(USUAL_DAYS + 1)]
    rows = [PaymentEvent.objects.filter(received_at__gt=since, received_at__lte=until) for since, until in hours]
    now, *before = capped_counts(rows, most=COUNTED_AT_MOST)
    if not now and (usual := round(median(before))) >= USUAL_EVENTS:
        text = gettext_noop("No event has come in the last hour; usually there are %(usual)s at this time of day.")
        yield Trouble(text, reverse("admin:diagnose"), {"usual": str(usual)})


@alert_rule(
    "deliveries.refused", title=_("Deliveries are refused"), severity=AlertSeverity.HIGH,
    window=timedelta(minutes=15), sample=5,
    remedy=_("The page of the webhooks says for each reason what to do. Stripe brings again what was refused."),
)  # fmt: skip
def deliveries_are_refused(look: Look) -> Iterator[Trouble]:
    """Those that still go on, each reason by itself."""
    rows = RefusedDeliveries.objects.filter(code__in=REFUSED_IN_EARNEST, hour__gt=look.since - timedelta(hours=1))
    counts: dict[str, int] = defaultdict(int)
    for code, count in rows.filter(last_at__gt=look.since).values_list("code", "count"):
        counts[code] += count
    for code, count in counts.items():
        if count >= look.sample:
            cause, _remedy = cause_of(code)
            text = gettext_noop("Deliveries refused within the hour: %(count)s; %(cause)s")
            yield Trouble(text, reverse("admin:diagnose"), {"count": str(count), "cause": words(cause)}, subject=code)


@alert_rule(
    "site.errors", title=_("This site answers with errors"), severity=AlertSeverity.HIGH, sample=20,
    remedy=_("The log has each error under its request id: lines at level “error” since then say what fails."),
)  # fmt: skip
def site_answers_with_errors(look: Look) -> Iterator[Trouble]:
    counts = _this_hour(Seen.ANSWER, at=look.at)
    errors = sum(count for label, count in counts.items() if label.endswith("5xx"))
    if errors >= look.sample and errors > ERRORS_SHARE * sum(counts.values()):
        text = gettext_noop("%(errors)s of the %(all)s answers of this hour were errors of our own.")
        yield Trouble(text, health_page(), {"errors": str(errors), "all": str(sum(counts.values()))})


@alert_rule(
    "stripe.unreachable", title=_("Stripe does not answer"), severity=AlertSeverity.HIGH, sample=20,
    remedy=_("Look at https://status.stripe.com, and whether this machine reaches api.stripe.com. All is tried again."),
)  # fmt: skip
def stripe_is_unreachable(look: Look) -> Iterator[Trouble]:
    counts = _this_hour(Seen.STRIPE_CALL, at=look.at)
    failed = sum(counts.get(outcome, 0) for outcome in ("unavailable", "rate_limited"))
    if failed >= look.sample and failed > CALLS_SHARE * sum(counts.values()):
        text = gettext_noop("%(failed)s of the %(all)s calls to Stripe of this hour got no answer.")
        yield Trouble(text, health_page(), {"failed": str(failed), "all": str(sum(counts.values()))})


def _this_hour(what: Seen, *, at: datetime) -> dict[str, int]:
    """How often, by label, since the hour began."""
    rows = Tally.objects.filter(what=what, hour=hour_of(at))
    return dict(rows.values_list("label", "in_hour"))


@alert_rule(
    "worker.lost", title=_("No worker lives"), severity=AlertSeverity.HIGH,
    remedy=_("Start a worker: celery -A config worker. Until then events are kept, and wait."),
)  # fmt: skip
def worker_is_lost(look: Look) -> Iterator[Trouble]:
    last = _lives(WORKER)["last"]
    if last and look.at - last > LOST_AFTER:
        text = gettext_noop("No worker has given a sign of life since %(clock)s.")
        yield Trouble(text, health_page(), moment_words(last))


@alert_rule(
    "beat.lost", title=_("The timetable stands still"), severity=AlertSeverity.MEDIUM,
    remedy=_("Start it: celery -A config beat. See that it, broker and worker reach each other."),
)  # fmt: skip
def beat_is_lost(look: Look) -> Iterator[Trouble]:
    """Its ticks come through the broker to a worker: without one, that is what is told."""
    worker, last = _lives(WORKER), _lives(BEAT)["last"]
    if worker["last"] is None or look.at - worker["last"] > LOST_AFTER:
        return
    waited_since = last or worker["first"]
    if waited_since and look.at - waited_since > LOST_AFTER:
        text = gettext_noop("The timetable has given no sign of life since %(clock)s.")
        yield Trouble(text, health_page(), moment_words(waited_since))


def _lives(name: str) -> dict[str, datetime | None]:
    return Heartbeat.objects.filter(name=name).aggregate(first=Min("first_at"), last=Max("at"))


@alert_rule(
    "host.busy", title=_("Processors are busy"), severity=AlertSeverity.MEDIUM,
    remedy=_(
        "On that machine, `top` shows which process it is. Workers and web processes can run on further machines."
    ),
)  # fmt: skip
def host_is_busy(look: Look) -> Iterator[Trouble]:
    """Above 80 % for ten minutes; over below 50 % (document 00)."""
    busy = Heartbeat.objects.filter(busy_since__lte=look.at - BUSY_FOR, at__gt=look.at - LOST_AFTER)
    for host, percent in busy.values_list("host", "cpu_percent"):
        text = gettext_noop("On %(host)s the processors have been above %(bound)s %% for ten minutes: %(percent)s %%.")
        values = {"host": host, "bound": f"{BUSY_PERCENT:.0f}", "percent": f"{percent:.0f}"}
        yield Trouble(text, health_page(), values, subject=host)
