"""The page *Health*: what is wrong now, what was checked, how payments and events went, who lives, which limits hold;
and the list of all alerts there were.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.staff_site import Job, staff_context, staff_page
from payments.admin.kit.display import BAD, CARE, GOOD, OFF, pill
from payments.admin.kit.screens import ReadOnlyAdmin
from payments.alerts.models import Alert
from payments.alerts.rules import AlertSeverity
from payments.backfill.models import BackfillMark
from payments.figures.recent import Counts, HealthState
from payments.health.health import Health, read_health
from payments.health.readiness import CheckState, Work, check_needed, check_work
from payments.heartbeats import BUSY_PERCENT

SHOWN = 50
SEVERITY_TINTS: dict[str, str] = {AlertSeverity.HIGH: BAD, AlertSeverity.MEDIUM: CARE, AlertSeverity.LOW: OFF}
CHECK_PILLS: dict[CheckState, tuple[Promise, str]] = {
    CheckState.OK: (pgettext_lazy("check", "OK"), GOOD),
    CheckState.WARNING: (pgettext_lazy("check", "look"), CARE),
    CheckState.FAULT: (pgettext_lazy("check", "fault"), BAD),
}
STATES: dict[HealthState, tuple[Promise, str, Promise]] = {
    HealthState.HEALTHY: (
        pgettext_lazy("health", "healthy"), GOOD,
        gettext_lazy("Payments and events have gone well in the last 24 hours."),
    ),
    HealthState.DEGRADED: (
        pgettext_lazy("health", "degraded"), CARE,
        gettext_lazy("More payments or events than usual have failed in the last 24 hours."),
    ),
    HealthState.CRITICAL: (
        pgettext_lazy("health", "critical"), BAD,
        gettext_lazy("Many payments or events have failed in the last 24 hours."),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Limit:
    """How often one client may do something."""

    what: str | Promise
    most: int
    window: timedelta

    @property
    def window_text(self) -> str:
        """ "15 minutes"."""
        now = timezone.now()
        return timesince(now - self.window, now)


@staff_page(
    "health/", name="health", title=gettext_lazy("Health"), job=Job.HEALTH, permission="payments.view_alert",
)  # fmt: skip
@require_safe
@never_cache
def health_page(request: HttpRequest) -> HttpResponse:
    """Read anew each time: cheap at any size."""
    at = timezone.now()
    work = Work.read(at=at)
    health = read_health(at=at, now=work.now)
    word, tint, sentence = STATES[health.state]
    alerts = Alert.objects.filter(closed_at=None).order_by("opened_at")[:SHOWN]
    context = staff_context(
        request,
        title=_("Health"),
        state=pill(str(word), tint),
        sentence=sentence,
        alerts=[(pill(row.get_severity_display(), SEVERITY_TINTS[row.severity]), row) for row in alerts],
        checks=[(_check_pill(each.state), each) for each in (*check_needed(at=at), *check_work(work, at=at))],
        numbers=list(_numbers(health)),
        machines=work.heartbeats[:SHOWN],
        busy_percent=BUSY_PERCENT,
        limits=list(_limits()),
        at=at,
    )
    return TemplateResponse(request, "admin/payments/health.html", context)


def _check_pill(state: CheckState) -> SafeString:
    word, tint = CHECK_PILLS[state]
    return pill(str(word), tint)


def _numbers(health: Health) -> Iterator[tuple[str, str]]:
    counts: Counts = health.counts
    yield _("Payments"), str(counts.paid)
    yield (
        _("Payments that failed, not by a bank’s word"),
        f"{counts.failed_payments} ({_share(counts.payment_failure_rate)})",
    )
    yield _("Declined by banks"), f"{counts.declined_payments} ({_share(counts.decline_rate)})"
    yield _("Events"), str(counts.events)
    yield _("Events that failed"), f"{counts.events_failed} ({_share(counts.webhook_failure_rate)})"
    yield _("Events of Stripe that are here"), BackfillMark.current(at=health.at).sentence
    yield _("Last payment"), _ago(health.last_payment, health)
    yield _("Last event"), _ago(health.last_webhook, health)


def _share(percent: float) -> str:
    return _("%(percent)s %%") % {"percent": number_format(percent, decimal_pos=1)}


def _ago(moment: object, health: Health) -> str:
    return _("%(time)s ago") % {"time": timesince(moment, health.at)} if moment else _("never")  # type: ignore[arg-type]


def _limits() -> Iterator[Limit]:
    window = timedelta(milliseconds=settings.STRIPE_RATE_LIMIT_WINDOW)
    yield Limit(gettext_lazy("Payments and forms, each client"), settings.STRIPE_RATE_LIMIT_MAX, window)
    yield Limit(gettext_lazy("Passwords, each client and each account"), settings.STRIPE_RATE_LIMIT_MAX, window)
    modules = settings.MODULES
    yield Limit(
        gettext_lazy("Module tokens, each service key"),
        modules.api_rate_max,
        timedelta(seconds=modules.api_rate_window),
    )


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    """What is wrong, since when, how often, over when; the newest first."""

    job, position = Job.HEALTH, 3
    list_display = ("title_text", "severity_pill", "sentence_text", "opened_at", "closed_at", "times")
    ordering = ("-id",)
    fields = (
        "sentence_text",
        "remedy_text",
        ("severity_pill", "times"),
        ("opened_at", "seen_at", "closed_at"),
        "page_link",
    )
    readonly_fields = ("sentence_text", "remedy_text", "severity_pill", "page_link")

    def waiting_rows(self, request: HttpRequest) -> QuerySet:
        """The open ones."""
        return Alert.objects.filter(closed_at=None)

    def row_title(self, request: HttpRequest, row: Alert) -> str:
        return row.title

    @admin.display(description=gettext_lazy("what"))
    def title_text(self, row: Alert) -> str:
        return row.title

    @admin.display(description=gettext_lazy("severity"))
    def severity_pill(self, row: Alert) -> SafeString:
        """Of what is over the tint is gone."""
        return pill(row.get_severity_display(), OFF if row.closed_at else SEVERITY_TINTS[row.severity])

    @admin.display(description=gettext_lazy("seen"))
    def sentence_text(self, row: Alert) -> str:
        return row.sentence

    @admin.display(description=gettext_lazy("what to do"))
    def remedy_text(self, row: Alert) -> str:
        return str(row.remedy)

    @admin.display(description=gettext_lazy("page that helps"))
    def page_link(self, row: Alert) -> SafeString:
        return format_html('<a href="{}">{}</a>', row.page, _("Open"))
